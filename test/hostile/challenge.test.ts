/** A target that has its source set records for it: only what a certificate authority asks of this session's hosts. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../stories/world.ts";
import { Conversation } from "./conversation.ts";
import type { FakeNode } from "./fake-node.ts";
import { type MovingOut, Town } from "./town.ts";
import { activeFor, agreed, committed } from "./walks.ts";

let town: Town;
let fake: FakeNode;
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
});
afterAll(() => town?.close());

const digest = () => randomBytes(32).toString("base64url");
const put = ({ talk }: Pick<MovingOut, "talk">, values: unknown, by = fake) =>
	by.send({ method: "PUT", target: `${talk.door}/challenge`, body: JSON.stringify({ values }) });
const standing = (host: string) => town.zone.look(`_acme-challenge.${host}`, "TXT");

describe("Of a target's certificate authority,", () => {
	test("challenges for the session's hosts are set, exchanged and removed", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		await agreed(moving);
		const host = `social.${moving.domain}`;
		const [one, two, three] = [digest(), digest(), digest()];
		expect(
			await put(moving, [
				{ host, value: one },
				{ host, value: two },
			]),
		).toMatchObject({ status: 204 });
		expect((await standing(host)).sort()).toEqual([one, two].sort());
		expect(await put(moving, [{ host, value: three }])).toMatchObject({ status: 204 });
		expect(await standing(host)).toEqual([three]);
		expect(await put(moving, [])).toMatchObject({ status: 204 });
		expect(await standing(host)).toEqual([]);
		await moving.talk.say({ kind: "reject", content: { code: "cancelled", detail: "enough", params: {} } });
		await town.ended(moving.job);
	});

	test("nothing is set for any other name, and nothing else than a challenge", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const { domain: other } = await town.deployed();
		await agreed(moving);
		const host = `social.${moving.domain}`;
		const value = digest();
		const names = [moving.domain, `_acme-challenge.${host}`, `x.${host}`, `social.${other}`, "localhost", `${host}.`];
		for (const name of [...names, host.toUpperCase(), `*.${moving.domain}`, `_fediversity.${moving.domain}`])
			expect(
				await put(moving, [
					{ host, value },
					{ host: name, value },
				]),
				name,
			).toMatchObject({ code: "not-allowed" });
		const texts = ["", "v=spf1 +all", `${value}=`, value.slice(1), `${value}a`, `e=2; a=${fake.actor}; c=claim`];
		for (const text of texts)
			expect(await put(moving, [{ host, value: text }]), text).toMatchObject({ code: "not-valid" });
		const tooMany = Array.from({ length: 33 }, () => ({ host, value: digest() }));
		expect(await put(moving, tooMany)).toMatchObject({ code: "not-valid" });
		expect(await put(moving, [{ host, value, type: "A" }])).toMatchObject({ code: "not-valid" });
		for (const name of [host, moving.domain, `x.${host}`, `social.${other}`, "localhost"])
			expect(await standing(name)).toEqual([]);
		await moving.talk.say({ kind: "reject", content: { code: "cancelled", detail: "enough", params: {} } });
		await town.ended(moving.job);
	});

	test("nothing is set before the two have agreed, and what was set goes when they part", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const host = `social.${moving.domain}`;
		const values = [{ host, value: digest() }];
		expect(await put(moving, values)).toMatchObject({ code: "not-found" });
		await agreed(moving);
		expect(await put(moving, values)).toMatchObject({ status: 204 });
		await moving.talk.say({ kind: "reject", content: { code: "cancelled", detail: "enough", params: {} } });
		await town.ended(moving.job);
		expect(await eventually("the challenge is gone", async () => (await standing(host)).length === 0)).toBe(true);
		expect(await put(moving, values)).toMatchObject({ code: "not-found" });
		expect(await standing(host)).toEqual([]);
	});

	test("nothing is set for another node than the session's", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		await agreed(moving);
		const host = `social.${moving.domain}`;
		const third = await town.stranger("third");
		const theirs = new Conversation(third, "target", moving.talk.sid, town.origin);
		const answer = await put({ talk: theirs }, [{ host, value: digest() }], third);
		expect(answer.status).toBeGreaterThanOrEqual(400);
		expect(await standing(host)).toEqual([]);
		await moving.talk.say({ kind: "reject", content: { code: "cancelled", detail: "enough", params: {} } });
		await town.ended(moving.job);
	});

	test("what the new provider set last is gone once it serves", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const move = await committed(moving);
		const host = `social.${moving.domain}`;
		const values = [{ host, value: digest() }];
		expect(await put(moving, values)).toMatchObject({ status: 204 });
		await moving.talk.say(activeFor(move));
		expect(await put(moving, values)).toMatchObject({ code: "not-found" });
		await eventually("the challenge is gone", async () => (await standing(host)).length === 0);
	});
});
