/** Claims to what is somebody else's: domains that were not handed over, services that do not serve, copies that are not erased. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { newToken, parseToken, printToken } from "#protocol/migration/token.ts";
import { eventually } from "../stories/world.ts";
import { Conversation } from "./conversation.ts";
import type { FakeNode } from "./fake-node.ts";
import { offerOf, Town } from "./town.ts";
import { activeFor, arrived, committed, moveOf, voted } from "./walks.ts";

let town: Town;
let fake: FakeNode;
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
});
afterAll(() => town?.close());

const day = 86_400_000;
const record = async (domain: string) => (await town.zone.look(`_fediversity.${domain}`, "TXT"))[0];

describe("A domain that its customer did not hand over", () => {
	test("does not leave by a stranger's token without its name typed and the password", async () => {
		const { domain, deployment } = await town.deployed();
		const token = newToken(fake.origin, fake.keys.key);
		const ask = (wish: { domain: string; password: string }) =>
			town.person.api("POST /deployments/{id}/move", {
				path: { id: deployment },
				body: { token: printToken(token), ...wish },
			});
		const password = "a long password of the tests";
		await expect(ask({ domain: "other.localhost", password })).rejects.toMatchObject({ code: "confirmation-wrong" });
		await expect(ask({ domain, password: "not this one" })).rejects.toMatchObject({ code: "wrong-credentials" });
		expect(fake.asked.filter((one) => one.includes(token.sid))).toEqual([]);
		expect(await town.serves(domain)).toBe(true);
	});

	test("is not taken from who has it here, whatever the record is made to say", async () => {
		const { domain } = await town.deployed();
		town.entitle();
		const { token } = await town.person.api("POST /move-ins", { body: {} });
		const talk = new Conversation(fake, "source", parseToken(token, { insecure: true }).sid, town.origin);
		await talk.say({ kind: "offer", content: offerOf(fake, token, domain) });
		expect((await talk.until("reject")).code).toBe("domain-taken");
		expect(await town.serves(domain)).toBe(true);
	});

	test("is not served, nor its record changed, when the record names a third node by the time it is handed over", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		await town.point(moving.domain, "https://victim.example/actor", 3);
		const before = await record(moving.domain);
		expect(await moving.talk.say(await moveOf(moving, manifest))).toMatchObject({ status: 204 });
		await moving.talk.until("reject");
		await eventually("it is gone", async () => (await town.stateOf(moving.domain)) === undefined);
		expect(moving.talk.last("active")).toBeUndefined();
		expect(await town.serves(moving.domain)).toBe(false);
		expect(await record(moving.domain)).toBe(before);
	});
});

test("a source that says it has erased everything before the target serves is not believed", async () => {
	const moving = await town.movedIn(fake);
	const { manifest } = await voted(moving);
	const erased = { kind: "erased" as const, content: { at: Date.now(), entries: 3, bytes: 20 } };
	expect(await moving.talk.say(erased)).toMatchObject({ code: "message-wrong" });
	await moving.talk.say(await moveOf(moving, manifest));
	const { at } = await moving.talk.until("active");
	const seen = () => town.person.api("GET /migrations/{id}", { path: { id: moving.talk.sid } });
	expect(Date.parse((await seen()).keptUntil ?? "")).toBe(at + 30 * day);
	expect(await moving.talk.say(erased)).toMatchObject({ status: 204 });
	expect((await seen()).erasedAt).not.toBeNull();
	expect(await town.serves(moving.domain)).toBe(true);
});

test("a target that only says that it serves: the last copy is not erased when its time is over, but when it serves", async () => {
	const target = await town.stranger("boaster");
	target.handlers.set("/", () => ({ body: "served there", signer: null }));
	const moving = await town.movingOut(target, await town.deployed());
	await moving.talk.say(activeFor(await committed(moving)));
	expect((await town.ended(moving.job)).state).toBe("done");
	const copy = join(town.folder, "state/services", moving.deployment);
	const asked = () => target.asked.filter((one) => one === "GET /").length;
	onTestFinished(async () => {
		town.ahead = 0;
		await town.restart();
	});
	target.handlers.set("/", () => ({ status: 502, body: "nobody is here", signer: null }));
	const before = asked();
	town.ahead = 40 * day;
	await town.restart();
	await eventually("it asks there", async () => asked() > before);
	expect(await town.stateOf(moving.domain)).toBe("moved");
	expect(existsSync(copy)).toBe(true);
	target.handlers.set("/", () => ({ body: "served there", signer: null }));
	await town.restart();
	await eventually("it is erased", async () => !existsSync(copy));
	await moving.talk.until("erased");
});

test("after all this an honest source moves in", async () => {
	const moving = await town.movedIn(fake);
	await arrived(moving);
	expect(await town.serves(moving.domain)).toBe(true);
});
