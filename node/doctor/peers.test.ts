import { expect, test } from "vitest";
import type { Peer } from "../peers/peer.ts";
import { peers } from "./peers.ts";

const day = 86_400_000;
const now = 100 * day;
const well: Peer = {
	...{ id: "1", origin: "https://south.example", toldBy: "staff", standing: "usual", hidden: false, knowsUs: false },
	...{ mostMoves: null, mostBytes: null, key: { id: "k", key: "z" }, newKey: null, problem: null, sheet: null },
	...{ publishedAt: now, expiresAt: now + day, addedAt: 0, seenAt: now },
};
const states = (...known: Peer[]) => peers(known, now).map(({ state }) => state);

test("nodes that answer are well, and without any there is nothing to say", () => {
	expect(states(well)).toEqual(["good"]);
	expect(states()).toEqual([]);
});

test("a changed key is bad, whatever else is", () => {
	const changed = { ...well, newKey: { id: "k", key: "y" }, seenAt: null };
	expect(states(changed, well)).toEqual(["bad"]);
	expect(peers([changed], now)[0]?.fix).toContain("peer confirm https://south.example");
});

test.each<[string, Partial<Peer>]>([
	["silent for more than a day", { seenAt: now - 1.1 * day }],
	["never seen", { seenAt: null, problem: "it does not answer" }],
	["with a sheet that is over", { expiresAt: now }],
])("one that is %s is a warning", (_what, change) => {
	expect(states({ ...well, ...change })).toEqual(["warning"]);
});

test("one that was just added, or is blocked, is not complained about", () => {
	expect(states({ ...well, seenAt: null, addedAt: now })).toEqual(["good"]);
	expect(states({ ...well, seenAt: null, standing: "blocked" })).toEqual([]);
});
