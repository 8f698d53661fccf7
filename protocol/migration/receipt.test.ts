import { beforeAll, describe, expect, test } from "vitest";
import { recordOf } from "../../test/vectors/chains.ts";
import {
	conversation,
	domain,
	type Line,
	nodeAt,
	noon,
	type north,
	says,
	seed,
	wholeMove,
} from "../../test/vectors/nodes.ts";
import { type Receipt, verifyReceipt, writeReceipt } from "./receipt.ts";

const party = ({ actor, keyid, key }: typeof north) => ({ actor, keyid, key });

let receipt: Receipt;
beforeAll(async () => {
	receipt = await writeReceipt(recordOf(await conversation(wholeMove)));
});

/** What is found when these lines are the whole conversation, with the summary of another. */
async function found(lines: readonly Line[]) {
	const { ok, findings } = await verifyReceipt({ ...receipt, ...recordOf(await conversation(lines)) });
	expect(ok).toBe(false);
	return findings.map(({ side, seq, code }) => [side, seq, code].join(" "));
}

const swapped = (at: number, line: Line) => wholeMove.with(at, line);

test("a whole move holds, as JSON and as text, and says what it came to", async () => {
	const { ok, findings, summary } = await verifyReceipt(JSON.stringify(receipt, null, 2));
	expect(findings).toEqual([]);
	expect(ok).toBe(true);
	expect(summary).toEqual(receipt.summary);
	expect(summary).toMatchObject({
		...{ domain, services: ["snac"], outcome: "moved", epoch: 2, rounds: 2, entries: 3, bytes: 4096, copied: 4096 },
		...{ from: { provider: "North", customer: "Anna" }, to: { provider: "South", customer: "Anna at South" } },
		...{ offeredAt: noon, frozenAt: noon + 40_000, movedAt: noon + 60_000, servingAt: noon + 90_000 },
		...{ freezeSeconds: 50, expectedSeconds: 5, erasedAt: noon + 2_592_000_000 },
	});
	expect(summary?.words).toHaveLength(6);
});

test.each<[string, readonly Line[], string]>([
	["as far as it has come", wholeMove.slice(0, 4), "open"],
	["refused", [...wholeMove.slice(0, 1), ["target", says.reject]], "refused"],
	["called off", [...wholeMove.slice(0, 4), ["source", says.withdraw]], "withdrawn"],
	["refused after the hand-over", [...wholeMove.slice(0, 7), ["target", says.reject]], "taken-back"],
	["not erased yet", wholeMove.slice(0, 8), "moved"],
	[
		"thawed and tried again",
		[
			...wholeMove.slice(0, 5),
			...([
				["source", says.thaw(2)],
				["source", says.final(3)],
				["target", says.vote(3)],
			] as const),
			...([
				["source", says.move(3)],
				["target", says.active(3)],
			] as const),
		],
		"moved",
	],
])("a move that was %s holds", async (_what, lines, outcome) => {
	const written = await writeReceipt(recordOf(await conversation(lines)));
	expect(await verifyReceipt(written)).toMatchObject({ ok: true, summary: { outcome } });
});

test("words that crossed on the way hold", async () => {
	const [first] = (await conversation(wholeMove.slice(0, 3))).target;
	const lines: Line[] = [
		...wholeMove.slice(0, 3),
		["source", says.withdraw],
		// Said before the withdrawal came.
		["target", says.announce(1), { heard: (await conversation(wholeMove.slice(0, 3))).source.at(-1)?.digest ?? null }],
	];
	expect(first).toBeDefined();
	const written = await writeReceipt(recordOf(await conversation(lines)));
	expect(await verifyReceipt(written)).toMatchObject({ ok: true, summary: { outcome: "withdrawn" } });
});

describe("does not hold:", () => {
	const change = (edit: (copy: Receipt) => void) => {
		const copy = structuredClone(receipt);
		edit(copy);
		return verifyReceipt(copy);
	};
	const codes = async (edit: (copy: Receipt) => void) => (await change(edit)).findings.map(({ code }) => code);

	test("a letter changed in what somebody said", async () => {
		expect(
			await codes(({ activities }) => {
				const object = activities.target[0]?.["object"] as { content: string };
				object.content = object.content.replace("South", "North");
			}),
		).toEqual(["proof"]);
	});

	test("something left out, at the beginning or in between", async () => {
		expect(await codes(({ activities }) => void activities.source.shift())).toContain("chain");
		expect(await codes(({ activities }) => void activities.source.splice(1, 1))).toContain("chain");
		expect(await codes(({ activities }) => void activities.target.splice(1, 1))).toContain("chain");
		// The source's last words answer what is missing at the target's end.
		expect(await codes(({ activities }) => void activities.target.pop())).toContain("chain");
	});

	test("something said twice, or in another order", async () => {
		const { source } = receipt.activities;
		expect(await codes(({ activities }) => void activities.source.push(source.at(-1) ?? {}))).toContain("chain");
		expect(await codes(({ activities }) => void activities.source.reverse())).toContain("chain");
	});

	test("another key, another actor, another session, sides changed over", async () => {
		const other = party(nodeAt("https://north.example", seed("other")));
		expect(new Set(await codes((copy) => void Object.assign(copy, { source: other })))).toEqual(new Set(["proof"]));
		expect(await codes((copy) => void Object.assign(copy.target, { actor: "https://evil.example/actor" }))).toContain(
			"form",
		);
		expect(new Set(await codes((copy) => void Object.assign(copy, { sid: "A".repeat(22) })))).toEqual(
			new Set(["form"]),
		);
		expect(await codes((copy) => void Object.assign(copy, { source: copy.target, target: copy.source }))).toContain(
			"form",
		);
	});

	test("a summary that says something else", async () => {
		const { ok, findings, summary } = await change((copy) => void Object.assign(copy.summary, { freezeSeconds: 1 }));
		expect(ok).toBe(false);
		expect(findings.map(({ code }) => code)).toEqual(["summary"]);
		expect(summary).toEqual(receipt.summary);
	});

	test("signed well, and yet out of turn", async () => {
		expect(await found([...wholeMove.slice(0, 1), ["source", says.move(1)]])).toContain("source 2 turn");
		expect(await found(swapped(5, ["target", says.vote(1)]))).toContain("target 3 turn");
		expect(await found(swapped(6, ["source", says.move(1)]))).toContain("source 4 turn");
		expect(await found(swapped(7, ["target", says.active(1)]))).toContain("target 4 turn");
		expect(await found([...wholeMove, ["target", says.reject]])).toContain("target 5 turn");
		const epoch = (line: number, value: number): Line => {
			const [side, message] = wholeMove[line] as Line;
			return [side, { ...message, content: { ...message.content, epoch: value } } as typeof message];
		};
		expect(await found(swapped(6, epoch(6, 3)))).toContain("source 4 turn");
		expect(await found(swapped(7, epoch(7, 3)))).toContain("target 4 turn");
	});

	test("signed well, and linked to something else", async () => {
		const line = (at: number, head: object): Line => [...(wholeMove[at] as Line).slice(0, 2), head] as unknown as Line;
		expect(await found(swapped(4, line(4, { prev: "A".repeat(43) })))).toContain("source 3 chain");
		expect(await found(swapped(4, line(4, { heard: "A".repeat(43) })))).toContain("source 3 chain");
		expect(await found(swapped(4, line(4, { heard: null })))).toContain("source 3 chain");
		// An id that claims another place is no activity at all.
		expect(await found(swapped(4, line(4, { seq: 4 })))).toContain("source 3 chain");
	});
});

test.each([
	["no JSON", "{"],
	["another JSON", "{}"],
	["null", "null"],
	["nothing said", { activities: { source: [], target: [] } }],
	["members of its own", { extra: 1 }],
	["another version", { version: 2 }],
	["an actor that is no address", { source: { actor: "north", keyid: "x", key: "z" } }],
	["a key that is none", { source: { actor: "https://north.example/actor", keyid: "x", key: "z6Mk" } }],
])("no receipt: %s", async (_what, change) => {
	const given = typeof change === "string" ? change : { ...receipt, ...change };
	await expect(verifyReceipt(given)).rejects.toThrow(
		expect.objectContaining({ code: expect.stringMatching(/^(receipt|key)-not-valid$/) }),
	);
});

test("what does not hold is not written", async () => {
	const record = recordOf(await conversation(wholeMove));
	record.activities.source.splice(1, 1);
	await expect(writeReceipt(record)).rejects.toThrow(expect.objectContaining({ code: "receipt-not-valid" }));
	const silent = { ...record, activities: { source: [], target: [] } };
	await expect(writeReceipt(silent)).rejects.toThrow(expect.objectContaining({ code: "receipt-not-valid" }));
});
