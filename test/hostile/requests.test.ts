/** Requests of a peer that are not what they say: replayed, changed, signed otherwise, or for somebody else. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonical } from "#protocol/migration/canonical.ts";
import { signAnswer } from "#protocol/migration/signature.ts";
import { eventually } from "../stories/world.ts";
import type { Baggage } from "./baggage.ts";
import type { Change, Conversation } from "./conversation.ts";
import { type FakeNode, newKeys, type Sending } from "./fake-node.ts";
import { type MovingIn, Town } from "./town.ts";
import { arrived } from "./walks.ts";

let town: Town;
let fake: FakeNode;
let moving: MovingIn & { bag: Baggage };
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
	moving = await town.movedIn(fake);
});
afterAll(() => town?.close());

/** A message that the honest node would take now, if nothing were wrong with it. */
const manifest = () => moving.talk.write({ kind: "manifest", content: moving.bag.manifest(1, false) });
const sendChanged = async (change: Partial<Sending>) =>
	fake.send({ target: moving.talk.door, body: (await manifest()).text, ...change });

describe("A request is refused, and changes nothing, ", () => {
	const cases: [name: string, change: () => Partial<Sending>, code: string][] = [
		["whose body was changed after signing", () => ({ signed: { body: Buffer.from("{}") } }), "signature-wrong"],
		[
			"whose signature does not cover the body",
			() => ({
				headers: (h) => ({ ...h, "signature-input": h["signature-input"]?.replace(' "content-digest"', "") ?? "" }),
			}),
			"signature-wrong",
		],
		[
			"whose digest is of another body",
			() => ({ headers: (h) => ({ ...h, "content-digest": `sha-256=:${Buffer.alloc(32).toString("base64")}:` }) }),
			"signature-wrong",
		],
		[
			"that was signed for another node's address",
			() => ({ signed: { target: "http://other.localhost/migrate/x" } }),
			"signature-wrong",
		],
		[
			"that was signed for another session",
			() => ({ signed: { target: moving.talk.door.replace(/.$/, "_") } }),
			"signature-wrong",
		],
		["that was signed for another method", () => ({ signed: { method: "PUT" } }), "signature-wrong"],
		[
			"that is signed the old way (draft-cavage) only",
			() => ({
				headers: () => ({
					digest: "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
					signature: `keyId="${fake.keys.keyid}",algorithm="hs2019",headers="(request-target) digest",signature="${randomBytes(64).toString("base64")}"`,
				}),
			}),
			"signature-wrong",
		],
		[
			"that asks for another algorithm",
			() => ({
				headers: (h) => ({ ...h, "signature-input": h["signature-input"]?.replace("ed25519", "hmac-sha256") ?? "" }),
			}),
			"signature-wrong",
		],
		[
			"with two signatures of which one is good",
			() => ({
				headers: (h) => ({ ...h, signature: `${h["signature"]}, ${h["signature"]?.replace("sig=", "sig2=")}` }),
			}),
			"signature-wrong",
		],
		["that is of an hour ago", () => ({ now: Date.now() - 3_600_000 }), "signature-untimely"],
		["that is of tomorrow", () => ({ now: Date.now() + 86_400_000 }), "signature-untimely"],
		["that somebody else signed in the peer's name", () => ({ signer: newKeys(fake.keys.keyid) }), "signature-wrong"],
		["that is too large", () => ({ body: Buffer.alloc(1_300_000, " ") }), "too-large"],
		[
			"for pieces that is too large",
			() => ({ target: `${moving.talk.door}/pieces`, body: Buffer.alloc(1_300_000) }),
			"too-large",
		],
		["for something that there is not", () => ({ target: `${moving.talk.door}/wishes` }), "not-found"],
		[
			"to relay an ACME challenge",
			() => ({ method: "PUT", target: `${moving.talk.door}/challenge`, body: "{}" }),
			"not-found",
		],
		[
			"to read what only a source gives away",
			() => ({ target: `${moving.talk.door}/pieces`, body: Buffer.alloc(60) }),
			"not-found",
		],
		[
			"for a listing by a name that leads elsewhere",
			() => ({ method: "GET", body: "", target: `${moving.talk.door}/listings/..%2F..%2Fvault.key` }),
			"not-found",
		],
	];
	test.each(cases)("%s", async (_name, change, code) => {
		const before = await town.moveIn(moving.talk.sid);
		expect(await sendChanged(change())).toMatchObject({ code });
		expect(await town.moveIn(moving.talk.sid)).toEqual(before);
	});

	test("that nobody signed: it is not even heard", async () => {
		const answer = await sendChanged({ headers: () => ({}) });
		expect(answer.status).toBeGreaterThanOrEqual(400);
		expect(moving.talk.heard.map(({ kind }) => kind)).toEqual(["accept"]);
	});

	test("that a third node signs with its own key: the session is bound to another", async () => {
		const third = await town.stranger("third");
		expect(await third.send({ target: moving.talk.door, body: (await manifest()).text })).toMatchObject({
			code: "token-used",
		});
		expect(third.asked).toEqual([]);
	});

	test("byte for byte the same as one before, to this session or to another", async () => {
		const other = await town.movedIn(fake);
		let first: Record<string, string> = {};
		const keep = (headers: Record<string, string>) => {
			first = headers;
			return headers;
		};
		const body = JSON.stringify({ step: "copy", fraction: 0.5, bytes: null, of: null, note: null, seconds: null });
		const put = { method: "PUT", target: `${moving.talk.door}/progress`, body };
		expect(await fake.send({ ...put, headers: keep })).toMatchObject({ status: 204 });
		expect(await fake.send({ ...put, headers: () => first })).toMatchObject({ code: "signature-repeated" });
		const elsewhere = { ...put, target: `${other.talk.door}/progress`, headers: () => first };
		expect(await fake.send(elsewhere)).toMatchObject({ code: "signature-wrong" });
	});
});

describe("A message in a good request is refused, and changes nothing, ", () => {
	type Parts = Record<string, unknown>;
	const document = (change: Parts) => ({ document: () => change });
	const payload = (change: Parts) => ({ payload: () => change });
	const content = (change: Parts) => ({
		payload: (p: Parts) => ({ content: { ...(p["content"] as Parts), ...change } }),
	});
	const idOf = (seq: number) => `${fake.origin}/migrate/${moving.talk.sid}/activities/source/${seq}`;
	const strange = "A".repeat(43);
	const changes: [name: string, change: () => Change, code: string][] = [
		[
			"with the id of another node's activity",
			() => document({ id: "https://victim.example/migrate/x/activities/source/2" }),
			"activity-not-valid",
		],
		["with the id of another activity of this session", () => document({ id: idOf(1) }), "activity-not-valid"],
		["in another actor's name", () => document({ actor: "https://victim.example/actor" }), "activity-not-valid"],
		["to another node", () => document({ to: "https://victim.example/actor" }), "activity-not-valid"],
		["to two nodes", () => document({ to: [`${town.origin}/actor`, "https://x.example"] }), "activity-not-valid"],
		["with a member nobody knows", () => document({ bcc: "x" }), "activity-not-valid"],
		["with a member nobody knows inside", () => payload({ force: true }), "activity-not-valid"],
		["with a member nobody knows in its content", () => content({ run: "sh" }), "activity-not-valid"],
		["of a kind nobody knows", () => payload({ kind: "seize" }), "activity-not-valid"],
		["of a type that does not go with its kind", () => document({ type: "Move" }), "activity-not-valid"],
		["of another session", () => payload({ sid: "A".repeat(22) }), "activity-not-valid"],
		["that was published next century", () => document({ published: "2099-01-01T00:00:00Z" }), "activity-not-valid"],
		[
			"that leaves out a number of the chain",
			() => ({ ...document({ id: idOf(3) }), ...payload({ seq: 3 }) }),
			"message-early",
		],
		["that follows something else", () => payload({ prev: strange }), "message-wrong"],
		["that answers what was never said", () => payload({ heard: strange }), "message-wrong"],
		["of a round that is not next", () => content({ round: 7 }), "message-wrong"],
	];
	test.each(changes)("%s", async (_name, change, code) => {
		const before = await town.moveIn(moving.talk.sid);
		expect(await moving.talk.post(await moving.talk.forged(await manifest(), change()))).toMatchObject({ code });
		expect(await town.moveIn(moving.talk.sid)).toEqual(before);
	});

	test("that only the other side may say", async () => {
		const content = { manifest: "A".repeat(43), epoch: 2, at: 1, checks: [] };
		const said = await moving.talk.write({ kind: "active", content });
		expect(await moving.talk.post(said)).toMatchObject({ code: "activity-not-valid" });
	});

	test("whose proof somebody else made, or nobody", async () => {
		const written = await manifest();
		const stolen = await moving.talk.forged(written, {}, newKeys(fake.keys.keyid));
		expect(await moving.talk.post(stolen)).toMatchObject({ code: "proof-wrong" });
		const { proof: _, ...bare } = written.document;
		expect(await moving.talk.post({ text: canonical(bare) })).toMatchObject({ code: "activity-not-valid" });
	});

	test("that is spelled in another way than it was signed", async () => {
		const { document } = await manifest();
		expect(await moving.talk.post({ text: JSON.stringify(document, null, 1) })).toMatchObject({
			code: "activity-not-valid",
		});
	});

	test("that was said in another session already", async () => {
		const other = await town.movedIn(fake);
		const said = other.talk.said[0];
		expect(await moving.talk.post({ text: said?.text ?? "" })).toMatchObject({ code: "activity-not-valid" });
	});

	test("by a key that the peer's actor names only since", async () => {
		const before = fake.keys;
		fake.keys = newKeys(before.keyid);
		expect(await moving.talk.post(await manifest())).toMatchObject({ code: "signature-wrong" });
		fake.keys = before;
	});
});

test("the same message again, signed anew, is answered as before and counts once", async () => {
	const [offer] = moving.talk.said;
	expect(await moving.talk.post({ text: offer?.text ?? "" })).toMatchObject({ status: 204 });
	expect(moving.talk.heard.map(({ kind }) => kind)).toEqual(["accept"]);
});

test("refusals are signed and bound to their request, so nobody else can make them", async () => {
	expect(await sendChanged({ target: `${moving.talk.door}/wishes` })).toMatchObject({ isSigned: true, status: 404 });
});

test("the key of a session stays the key of a session: what its node's actor says later does not count", async () => {
	const asked = fake.asked.filter((one) => one === "GET /actor").length;
	fake.handlers.set("/actor", () => ({ status: 410, signer: null }));
	expect(await moving.talk.post({ text: moving.talk.said[0]?.text ?? "" })).toMatchObject({ status: 204 });
	expect(fake.asked.filter((one) => one === "GET /actor")).toHaveLength(asked);
	fake.handlers.set("/actor", () => ({ body: fake.actorDocument(), signer: null }));
});

describe("What the peer answers is not believed", () => {
	const said = (talk: Conversation) => talk.heard.filter(({ kind }) => kind === "accept").length;
	test.each([
		["when it is not signed", null],
		["when somebody else signed it", newKeys("http://victim.localhost/actor#multikey-2")],
	])("%s: the message is sent again, and taken once", async (_name, signer) => {
		const { talk, offer } = await town.movingIn(fake);
		let answers = 0;
		talk.on("POST", "", ({ body }) => {
			talk.take(body);
			return answers++ === 0 ? { status: 204, signer } : { status: 204 };
		});
		expect((await talk.say({ kind: "offer", content: offer })).status).toBe(204);
		await eventually("it is sent again", async () => answers >= 2);
		expect(said(talk)).toBe(1);
	});

	test("when it is the answer to another request", async () => {
		const { talk, offer } = await town.movingIn(fake);
		const answers: number[] = [];
		let old = {};
		talk.on("POST", "", async ({ body, headers }) => {
			talk.take(body);
			answers.push(204);
			if (answers.length > 1) return { status: 204 };
			old = await signAnswer(
				{ status: 204, body: Buffer.alloc(0) },
				`sig=:${randomBytes(64).toString("base64")}:`,
				fake.keys,
				Date.now(),
			);
			expect(headers["signature"]).toBeDefined();
			return { status: 204, signer: null, headers: old as Record<string, string> };
		});
		await talk.say({ kind: "offer", content: offer });
		await eventually("it is sent again", async () => answers.length >= 2);
		expect(talk.heard.map(({ kind }) => kind)).toEqual(["accept"]);
	});
});

test("after all these lies the session goes on as if nothing had been said", async () => {
	await arrived(moving);
	expect(await town.serves(moving.domain)).toBe(true);
});
