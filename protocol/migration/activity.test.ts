import { expect, test } from "vitest";
import { conversation, digestOf, noon, north, says, sid, south, wholeMove } from "../../test/vectors/nodes.ts";
import { activityLifetime, type Head, readActivity, signActivity, verifyActivity, writeActivity } from "./activity.ts";
import { canonical, digest } from "./canonical.ts";
import { activityTypes, type Kind, type Message } from "./messages.ts";
import { addProof } from "./proof.ts";

const expected = { sid, said: "source", from: north.actor, to: south.actor, now: noon } as const;
const head: Head = { sid, seq: 1, prev: null, heard: null, from: north.actor, to: south.actor, published: noon };
const times = { created: noon, expires: noon + activityLifetime };
const refused = expect.objectContaining({ code: "activity-not-valid" });

/** The offer, changed and signed again by its own sender: a peer that lies well. */
async function lie(change: (document: ReturnType<typeof writeActivity>) => object): Promise<string> {
	const document = change(writeActivity(head, says.offer)) as { "@context": string[] };
	return canonical(await addProof(document, north.signer, times));
}

/** The same, with something else in its payload. */
const payload = (change: object) =>
	lie((document) => {
		const content = canonical({ ...(JSON.parse(document.object.content) as object), ...change });
		return { ...document, object: { ...document.object, content } };
	});

test("each kind of message is read as it was written", async () => {
	const chains = await conversation(wholeMove);
	for (const said of ["source", "target"] as const)
		for (const [index, { text, document, digest: name }] of chains[said].entries()) {
			const [me, you] = said === "source" ? [north, south] : [south, north];
			const wanted = { sid, said, from: me.actor, to: you.actor, now: noon };
			const read = await verifyActivity(text, wanted, me.verifier);
			const message = wholeMove.filter(([side]) => side === said)[index]?.[1] as Message;
			expect(read.message).toEqual(message);
			expect(read.head.seq).toBe(index + 1);
			expect(read.head.prev).toBe(chains[said][index - 1]?.digest ?? null);
			expect(read.digest).toBe(name);
			expect(digest(document)).toBe(name);
			expect(document.type).toBe(activityTypes[message.kind].type);
			expect(document.id).toBe(`${me.origin}/migrate/${sid}/activities/${said}/${index + 1}`);
			expect((await verifyActivity(document, wanted, me.verifier)).digest).toBe(name);
		}
});

test("the same message signed again has the same bytes", async () => {
	const [one, other] = [
		await signActivity(head, says.offer, north.signer),
		await signActivity(head, says.offer, north.signer),
	];
	expect(one.text).toBe(other.text);
});

test("a receiver is told by type what it is about", () => {
	const types = Object.values(activityTypes).map(({ type }) => type);
	expect(new Set(types).size).toBe((Object.keys(activityTypes) as Kind[]).length);
});

test.each([
	["another session", { ...expected, sid: "A".repeat(22) }],
	["another sender", { ...expected, from: "https://evil.example/actor" }],
	["another receiver", { ...expected, to: "https://other.example/actor" }],
	["the other side", { ...expected, said: "target" as const }],
	["before it was published", { ...expected, now: noon - 700_000 }],
	["when its time is over", { ...expected, now: noon + activityLifetime + 700_000 }],
])("an activity is refused for %s", async (_what, wanted) => {
	const { text } = await signActivity(head, says.offer, north.signer);
	expect(() => readActivity(text, wanted)).toThrow(refused);
});

test("clocks may be minutes apart, and in a receipt time does not matter", async () => {
	const { text } = await signActivity(head, says.offer, north.signer);
	for (const now of [noon - 300_000, noon + 300_000, noon + activityLifetime + 300_000, null])
		expect(readActivity(text, { ...expected, now }).head.published).toBe(noon);
});

const foreign = "https://evil.example";
test.each([
	["an unknown member", lie((document) => ({ ...document, cc: south.actor }))],
	["an unknown member in its object", lie((document) => ({ ...document, object: { ...document.object, name: "x" } }))],
	["two receivers", lie((document) => ({ ...document, to: [south.actor, north.actor] }))],
	["an id elsewhere", lie((document) => ({ ...document, id: document.id.replace(north.origin, foreign) }))],
	["an id of another number", lie((document) => ({ ...document, id: document.id.replace(/1$/, "2") }))],
	["an id of the other side", lie((document) => ({ ...document, id: document.id.replace("source", "target") }))],
	["another actor", lie((document) => ({ ...document, actor: `${foreign}/actor` }))],
	["an actor that is no address", lie((document) => ({ ...document, actor: "north" }))],
	["another type", lie((document) => ({ ...document, type: "Move" }))],
	["a type we do not know", lie((document) => ({ ...document, type: "Create" }))],
	["another context", lie((document) => ({ ...document, "@context": ["https://www.w3.org/ns/activitystreams"] }))],
	["another media type", lie((document) => ({ ...document, object: { ...document.object, mediaType: "text/plain" } }))],
	["a time of its own", lie((document) => ({ ...document, published: "2026-11-22T12:00:00.5Z" }))],
	["another time than signed", lie((document) => ({ ...document, published: "2026-11-22T11:00:00Z" }))],
	["another session inside", payload({ sid: "A".repeat(22) })],
	["another number inside", payload({ seq: 2, prev: "A".repeat(43) })],
	["a first one that follows something", payload({ prev: "A".repeat(43) })],
	["number 0", payload({ seq: 0 })],
	["half a number", payload({ seq: 1.5 })],
	["a kind we do not know", payload({ kind: "steal" })],
	["a kind of another shape", payload({ kind: "withdraw" })],
	["an unknown member inside", payload({ extra: true })],
	["an unknown member in the message", payload({ content: { ...says.offer.content, extra: true } })],
	[
		"a member called __proto__",
		lie((document) => JSON.parse(JSON.stringify(document).replace("{", '{"__proto__":{},'))),
	],
	["no epoch", payload({ content: { ...says.offer.content, epoch: 0 } })],
	[
		"a content that is not canonical",
		lie((document) => ({ ...document, object: { ...document.object, content: ` ${document.object.content}` } })),
	],
	["a content that is not JSON", lie((document) => ({ ...document, object: { ...document.object, content: "{" } }))],
])("signed well and yet refused: %s", async (_what, text) => {
	expect(() => readActivity("x", expected)).toThrow(refused);
	const lied = await text;
	expect(() => readActivity(lied, expected)).toThrow(refused);
});

test("what the target says must answer something, and be said by the target", async () => {
	const mine = { ...head, from: south.actor, to: north.actor };
	const wanted = { ...expected, said: "target", from: south.actor, to: north.actor } as const;
	const deaf = await signActivity({ ...mine, heard: null }, says.accept, south.signer);
	expect(() => readActivity(deaf.text, wanted)).toThrow(refused);
	const hearing = await signActivity({ ...mine, heard: "A".repeat(43) }, says.accept, south.signer);
	expect(readActivity(hearing.text, wanted).message.kind).toBe("accept");
	const turned = await signActivity({ ...head, heard: "A".repeat(43) }, says.accept, north.signer);
	expect(() => readActivity(turned.text, expected)).toThrow(refused);
	expect(() => readActivity(turned.text, { ...expected, said: "target" })).not.toThrow();
});

test("text that is not the document's one spelling is refused, and so is what is too large", async () => {
	const { text } = await signActivity(head, says.offer, north.signer);
	const longer = text.replace('"actor":', '"actor":"https://evil.example/actor","actor":');
	for (const other of [`${text}\n`, ` ${text}`, longer, text.slice(0, -1), "", "null", "[]", '"x"'])
		expect(() => readActivity(other, expected), other.slice(0, 60)).toThrow(refused);
	const detail = "x".repeat(1000);
	const checks = Array.from({ length: 64 }, () => ({ what: "y".repeat(300), ok: true, detail }));
	const active: Message = { kind: "active", content: { manifest: digestOf(2, true), epoch: 2, at: noon, checks } };
	const mine = { ...head, from: south.actor, to: north.actor, heard: "A".repeat(43) };
	const large = await signActivity(mine, active, south.signer);
	expect(readActivity(large.text, { ...expected, said: "target", from: south.actor, to: north.actor }).head.seq).toBe(
		1,
	);
	expect(() => readActivity(`"${"x".repeat(2_000_000)}"`, expected)).toThrow(refused);
});

test("a move may carry a megabyte of secrets", async () => {
	const move: Message = {
		kind: "move",
		content: { manifest: digestOf(2, true), epoch: 2, secrets: "A".repeat(1_000_000) },
	};
	const { text } = await signActivity(
		{ ...head, seq: 4, prev: "A".repeat(43), heard: "A".repeat(43) },
		move,
		north.signer,
	);
	expect(readActivity(text, expected).message).toEqual(move);
});

test("the proof must be the sender's, over this document", async () => {
	const { text, document } = await signActivity(head, says.offer, north.signer);
	const wrong = expect.objectContaining({ code: "proof-wrong" });
	await expect(verifyActivity(text, expected, south.verifier)).rejects.toThrow(wrong);
	const forged = await signActivity(head, says.offer, { ...south.signer, keyid: north.keyid });
	await expect(verifyActivity(forged.text, expected, north.verifier)).rejects.toThrow(wrong);
	const other = await signActivity(head, { kind: "offer", content: { ...says.offer.content, epoch: 7 } }, north.signer);
	await expect(verifyActivity({ ...document, proof: other.document.proof }, expected, north.verifier)).rejects.toThrow(
		wrong,
	);
	const strange = await signActivity(head, says.offer, { ...north.signer, keyid: `${foreign}/actor#key` });
	await expect(verifyActivity(strange.text, expected, north.verifier)).rejects.toThrow(refused);
});

test("what no peer would take is not written", async () => {
	const bad = { ...says.offer.content, epoch: -1 };
	await expect(signActivity(head, { kind: "offer", content: bad }, north.signer)).rejects.toThrow(refused);
	await expect(signActivity({ ...head, seq: 0 }, says.offer, north.signer)).rejects.toThrow(refused);
});
