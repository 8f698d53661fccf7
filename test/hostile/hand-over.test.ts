/** A source that lies about the hand-over, or falls silent on the way to it. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newSealPair, sealSecrets } from "#protocol/migration/seal.ts";
import { reach } from "../stories/reach.ts";
import { eventually } from "../stories/world.ts";
import type { Baggage } from "./baggage.ts";
import type { FakeNode } from "./fake-node.ts";
import { type MovingIn, Town } from "./town.ts";
import { arrived, copied, moveOf, voted } from "./walks.ts";

let town: Town;
let fake: FakeNode;
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
});
afterAll(() => town?.close());

type Arriving = MovingIn & { bag: Baggage };
const strange = "A".repeat(43);
const state = async ({ domain }: MovingIn) => town.stateOf(domain);

/** It goes on as it should. */
async function endsWell(moving: Arriving, manifest: string): Promise<void> {
	expect(await moving.talk.say(await moveOf(moving, manifest))).toMatchObject({ status: 204 });
	await moving.talk.until("active");
	expect(await town.serves(moving.domain)).toBe(true);
}

/** It has refused for good, and nothing of the deployment is left. */
async function neverServes(moving: Arriving): Promise<void> {
	await eventually("it is gone", async () => (await state(moving)) === undefined);
	expect(moving.talk.last("active")).toBeUndefined();
	expect(await town.serves(moving.domain)).toBe(false);
}

describe("Nothing is handed over", () => {
	test("before there is a manifest, nor before the vote", async () => {
		const moving = await town.movedIn(fake);
		const { talk } = moving;
		expect(await talk.say(await moveOf(moving, strange))).toMatchObject({ code: "message-wrong" });
		await copied(moving);
		expect(await talk.say(await moveOf(moving, strange))).toMatchObject({ code: "message-wrong" });
		expect(await state(moving)).toBe("arriving");
		await talk.say({ kind: "manifest", content: moving.bag.manifest(2, true) });
		await endsWell(moving, (await talk.until("vote")).manifest);
	});

	test("with another manifest than was voted for, nor in another epoch", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		expect(await moving.talk.say(await moveOf(moving, strange))).toMatchObject({ code: "message-wrong" });
		const { content } = await moveOf(moving, manifest);
		const late = { kind: "move" as const, content: { ...content, epoch: 7 } };
		expect(await moving.talk.say(late)).toMatchObject({ code: "message-wrong" });
		expect(await state(moving)).toBe("arriving");
		await endsWell(moving, manifest);
	});

	test("by a final manifest that changes after the vote", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		const { talk, bag } = moving;
		bag.lines.pop();
		expect(await talk.say({ kind: "manifest", content: bag.manifest(2, true) })).toMatchObject({
			code: "message-wrong",
		});
		const thaw = { kind: "thaw" as const, content: { manifest: strange, reason: "" } };
		expect(await talk.say(thaw)).toMatchObject({ code: "message-wrong" });
		await endsWell(moving, manifest);
	});

	test("by a manifest that is void: after a thaw the vote is for the next one", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		const { talk, bag } = moving;
		expect(await talk.say({ kind: "thaw", content: { manifest, reason: "" } })).toMatchObject({ status: 204 });
		expect(await talk.say(await moveOf(moving, manifest))).toMatchObject({ code: "message-wrong" });
		await talk.say({ kind: "manifest", content: bag.manifest(2, true) });
		await endsWell(moving, (await talk.until("vote", 2)).manifest);
	});

	test("once the source has withdrawn", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		expect(await moving.talk.say({ kind: "withdraw", content: { code: "cancelled", detail: "" } })).toMatchObject({
			status: 204,
		});
		expect(await moving.talk.say(await moveOf(moving, manifest))).toMatchObject({ code: "message-wrong" });
		await neverServes(moving);
	});
});

test("what was handed over can be neither withdrawn nor thawed nor erased before it serves", async () => {
	const moving = await town.movedIn(fake);
	const { manifest } = await voted(moving);
	const { talk } = moving;
	await talk.say(await moveOf(moving, manifest));
	expect(await talk.say({ kind: "withdraw", content: { code: "cancelled", detail: "" } })).toMatchObject({
		code: "message-wrong",
	});
	expect(await talk.say({ kind: "thaw", content: { manifest, reason: "" } })).toMatchObject({ code: "message-wrong" });
	await talk.until("active");
	expect(await town.serves(moving.domain)).toBe(true);
});

describe("Two things said in one place of the chain stop the session:", () => {
	test("two final manifests: there is no vote any more, and it is refused", async () => {
		const moving = await town.movedIn(fake);
		const { talk, bag } = moving;
		await copied(moving);
		const one = await talk.write({ kind: "manifest", content: bag.manifest(2, true) });
		bag.lines.pop();
		const two = await talk.write({ kind: "manifest", content: bag.manifest(2, true) });
		expect(await talk.post(one)).toMatchObject({ status: 204 });
		expect(await talk.post(two)).toMatchObject({ code: "migration-broken" });
		await talk.until("reject");
		await neverServes(moving);
		const { problem } = await town.moveIn(talk.sid);
		expect(problem?.code).toBe("migration-broken");
	});

	test("two hand-overs: it serves or refuses, and never both", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		const { talk } = moving;
		const [one, two] = [
			await talk.write(await moveOf(moving, manifest)),
			await talk.write(await moveOf(moving, manifest)),
		];
		expect(await talk.post(one)).toMatchObject({ status: 204 });
		expect(await talk.post(two)).toMatchObject({ code: "migration-broken" });
		await eventually("it decides", async () => talk.last("active") ?? talk.last("reject"));
		const { job } = await town.moveIn(talk.sid);
		const { state: end } = await town.ended(job ?? "");
		expect(end).toBe(talk.last("active") ? "done" : "undone");
		expect(await town.serves(moving.domain)).toBe(talk.last("active") !== undefined);
		expect(talk.heard.filter(({ kind }) => kind === "active" || kind === "reject")).toHaveLength(1);
	});
});

describe("Secrets", () => {
	test("for names outside the deployment are left out, and the node stays who it is", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		const actor = async () =>
			(await reach(`${town.origin}/actor`, { headers: { accept: "application/activity+json" } })).text();
		const before = await actor();
		const secrets = {
			"federation/ed25519": "taken",
			"../federation/ed25519": "taken",
			"snac/../../federation/ed25519": "taken",
			"wiki/password": "taken",
			"snac/Password": "taken",
			"snac/a/b": "taken",
			"snac/extra": "kept",
		};
		await moving.talk.say(await moveOf(moving, manifest, secrets));
		await moving.talk.until("active");
		expect(await actor()).toBe(before);
		const names = town.secretNames().filter((name) => /snac|wiki|Password|extra|\.\./.test(name));
		expect(names.filter((name) => /extra$|snac\/password$/.test(name)).length).toBeGreaterThanOrEqual(2);
		expect(names.filter((name) => /wiki|\.\.|Password|a\/b/.test(name))).toEqual([]);
	});

	test.each([
		["sealed to somebody else", async () => sealSecrets((await newSealPair()).publicKey, { "snac/password": "x" })],
		["that are none", async () => "A".repeat(200)],
	])("%s: it refuses after the hand-over, for good, so that the source can serve again", async (_name, seal) => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		const { content } = await moveOf(moving, manifest);
		const secrets = await seal();
		expect(await moving.talk.say({ kind: "move", content: { ...content, secrets } })).toMatchObject({ status: 204 });
		await moving.talk.until("reject");
		await neverServes(moving);
		const again = await moving.talk.write(await moveOf(moving, manifest));
		expect(await moving.talk.post(again)).toMatchObject({ status: 204 });
		await neverServes(moving);
	});
});

describe("When the source falls silent, the customer can end it, and begin anew with the same domain:", () => {
	const points: [name: string, walk: (moving: Arriving) => Promise<unknown>][] = [
		["after its offer", async () => {}],
		[
			"when it is asked for a listing",
			async ({ talk, bag }) => {
				talk.on("GET", "/listings", () => "never");
				await talk.say({ kind: "manifest", content: bag.manifest(1, false) });
				await eventually("it asks", async () =>
					fake.asked.some((one) => one.startsWith(`GET /migrate/${talk.sid}/listings`)),
				);
			},
		],
		[
			"in the middle of the pieces",
			async ({ talk, bag }) => {
				const [begun, never] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
				talk.on("POST", "/pieces", async ({ body }) => {
					const reply = await bag.shipped(talk, body);
					begun.resolve();
					const [first] = typeof reply === "object" ? [...(reply.stream as Iterable<Buffer>)] : [];
					async function* slow() {
						yield (first ?? Buffer.alloc(9)).subarray(0, 9);
						await never.promise;
					}
					return typeof reply === "object" ? { ...reply, stream: slow() } : reply;
				});
				await talk.say({ kind: "manifest", content: bag.manifest(1, false) });
				await begun.promise;
			},
		],
		["after a round", copied],
		["after the vote", voted],
	];
	test.each(points)("%s", async (_name, walk) => {
		const moving = await town.movedIn(fake);
		await walk(moving);
		const { job } = await town.moveIn(moving.talk.sid);
		await town.person.api("POST /jobs/{id}/cancel", { path: { id: job ?? "" } });
		expect((await town.ended(job ?? "")).state).toBe("undone");
		await moving.talk.until("reject");
		await neverServes(moving);
		const again = await town.movedIn(fake, { domain: moving.domain });
		expect(await state(again)).toBe("arriving");
	});
});

test("after all this an honest source moves in", async () => {
	const moving = await town.movedIn(fake);
	await arrived(moving);
	expect(await town.serves(moving.domain)).toBe(true);
});
