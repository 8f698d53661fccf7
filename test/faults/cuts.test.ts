/** The network between two nodes fails at every message of a migration, both ways, and heals. */
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { Choir, moreRoom, type People, twoAdas, Witness } from "./choir.ts";
import type { Fate, Passage } from "./internet.ts";
import { Pair } from "./pair.ts";

let pair: Pair;
let people: People;
beforeAll(async () => {
	pair = await Pair.open();
	people = await twoAdas(pair);
}, 60_000);
afterAll(() => pair?.[Symbol.asyncDispose]());

const messages = ["offer", "accept", "manifest", "announce", "final", "vote", "move", "active"];
const bulk = ["listings", "pieces"];

/** The first request of each kind meets this fate, the others pass. */
function first(kinds: readonly string[], fate: Fate) {
	const left = new Set(kinds);
	return { left, meet: ({ kind }: Passage): Fate => (left.delete(kind) ? fate : "pass") };
}

/** From the first of each kind on, nothing at all of this migration arrives for a second. */
function silence(kinds: readonly string[]) {
	const left = new Set(kinds);
	let until = 0;
	return {
		left,
		meet({ kind }: Passage): Fate {
			if (left.delete(kind)) until = Date.now() + 1000;
			return Date.now() < until ? "lose-request" : "pass";
		},
	};
}

const faults = {
	request: first(messages, "lose-request"),
	answer: first(messages, "lose-answer"),
	echo: first([...messages, ...bulk], "echo"),
	silence: silence([...messages, ...bulk]),
	broken: first(bulk, { cutAfter: 1000 }),
	flipped: first(bulk, { flip: 700 }),
	slow: {
		left: new Set<string>(),
		meet: ({ kind }: Passage): Fate => (kind === "pieces" ? { rate: 125_000 } : "pass"),
	},
};

test("whatever is lost, comes twice, breaks off or is changed on the way, the migration ends, with everything, served once", async () => {
	onTestFailed(() => pair.tell());
	const names = Object.keys(faults) as (keyof typeof faults)[];
	for (const _ of names.slice(1)) await moreRoom(pair, people);
	const choirs = await Promise.all(names.map((name) => Choir.found(pair, people, name)));
	const witness = new Witness(pair, choirs);
	const fates = new Map<string, keyof typeof faults>();
	pair.internet.fate = (passage) => {
		const name = passage.sid === undefined ? undefined : fates.get(passage.sid);
		return name === undefined ? "pass" : faults[name].meet(passage);
	};
	await Promise.all(
		choirs.map(async (choir, n) => {
			const begun = await choir.begin((id) => fates.set(id, names[n] ?? "request"));
			expect([choir.domain, await choir.ended(begun)]).toEqual([choir.domain, ["done", "done"]]);
		}),
	);
	const served = await witness.close();
	for (const choir of choirs) {
		expect(await choir.losses("south")).toEqual([]);
		expect(await choir.states()).toEqual({ north: ["moved"], south: ["serving"] });
		expect([choir.host, served[choir.host]]).toEqual([choir.host, ["north", "south"]]);
	}
	// Every fault really happened.
	for (const name of names) expect([name, [...faults[name].left]]).toEqual([name, []]);
}, 180_000);
