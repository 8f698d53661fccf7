import { describe, expect, test } from "vitest";
import { begin, hear, type State, say, type Talk, type Word } from "#protocol/migration/conversation.ts";
import type { Side } from "#protocol/migration/messages.ts";
import { mostRests } from "../../node/migrations/resting.ts";
import { explore } from "./explore.ts";
import { migration, real } from "./migration.ts";
import { variants } from "./variants.ts";
import { type Rules, sides } from "./world.ts";

const minute = 60_000;

/** What was said and heard in all explorations: `target in voted hears move: committed`. */
const met = new Set<string>();
const noting: Rules = {
	...real,
	say: (side, talk, word) => noted("says", side, talk, word, say(side, talk, word)),
	hear: (side, talk, word) => noted("hears", side, talk, word, hear(side, talk, word)),
};

function noted<Result extends Talk | "late" | undefined>(
	does: "says" | "hears",
	side: Side,
	{ state }: { readonly state: State },
	word: Word,
	result: Result,
): Result {
	const step = word.kind === "manifest" && word.content.final ? "final" : word.kind;
	if (result) met.add(`${side} in ${state} ${does} ${step}: ${result === "late" ? result : result.state}`);
	return result;
}

describe("however a migration goes, nothing is lost, never do two serve, and somebody can always serve again", () => {
	test("there and back, killed and restored at any time", { timeout: 5 * minute }, () => {
		const { wrong, path, states, steps } = explore(migration(noting, { rounds: [2, 1], writes: 2, restores: true }));
		console.info(`${states} worlds, ${steps} steps between them`);
		expect(wrong, path.join("\n")).toBeUndefined();
	});

	test("either node brought back as it was at some time of the move, and not told", { timeout: 5 * minute }, () => {
		const bounds = { rounds: [1, 0], writes: 1, restores: false, backups: true } as const;
		const { wrong, path } = explore(migration(noting, bounds));
		expect(wrong, path.join("\n")).toBeUndefined();
	});

	test("thawed as often as may be, where that is one time less", { timeout: 5 * minute }, () => {
		const bounds = { rounds: [3, 0], writes: 0, restores: false } as const;
		const { wrong, path } = explore(migration({ ...noting, mostRests: mostRests - 1 }, bounds));
		expect(wrong, path.join("\n")).toBeUndefined();
	});

	test("and nothing stands in the table that never happens", () => {
		const possible = new Set(sides.flatMap((side) => [...lawful(side)]));
		expect(possible.size).toBeGreaterThan(50);
		expect([...possible].filter((line) => !met.has(line))).toEqual([]);
	});
});

describe("does harm that is found:", () => {
	test.each(Object.entries(variants))("%s", { timeout: minute }, (_name, { rules, harm, bounds }) => {
		const { wrong = "", path } = explore(migration(rules, bounds, harm));
		expect(wrong).toContain(harm);
		expect(path.length).toBeGreaterThan(3);
	});
});

/** Every line of the table, found by trying all words in all states that it leads to. */
function lawful(side: Side): Set<string> {
	const states = new Set<State>([begin(side).state]);
	const lines = new Set<string>();
	for (const state of states)
		for (const word of words) {
			const talk: Talk = { state, epoch: 1, round: 1, manifest: "first" };
			for (const [does, to] of [
				["says", say(side, talk, word)],
				["hears", hear(side, talk, word)],
			] as const) {
				if (to === undefined) continue;
				if (to !== "late") states.add(to.state);
				const step = word.kind === "manifest" && word.content.final ? "final" : word.kind;
				lines.add(`${side} in ${state} ${does} ${step}: ${to === "late" ? to : to.state}`);
			}
		}
	return lines;
}

const content = { manifest: "first", round: 1, epoch: 2 };
const words: Word[] = [
	...(["accept", "reject", "withdraw", "erased"] as const).map((kind) => ({ kind })),
	{ kind: "offer", content: { epoch: 1 } },
	...[false, true].map((final): Word => ({ kind: "manifest", content: { round: 2, final }, digest: "second" })),
	...(["announce", "thaw", "vote", "move", "active"] as const).map((kind) => ({ kind, content })),
];
