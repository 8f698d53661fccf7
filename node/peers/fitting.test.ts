import { expect, test } from "vitest";
import type { Sheet } from "#protocol/migration/sheet.ts";
import { isOlder, type Luggage, objectionTo } from "./fitting.ts";
import type { Peer } from "./peer.ts";

const MiB = 1024 ** 2;
const us = "https://north.example";
const luggage: Luggage = { services: [{ name: "snac", title: "snac", version: "2.75" }], bytes: 100 * MiB };
const sheet: Sheet = {
	...{ name: "South", place: null, jurisdiction: null, engine: "local", version: "0.1.0", price: null, backups: null },
	services: [{ name: "snac", title: "snac", version: "2.75" }],
	...{ limits: { bytes: null }, freeBytes: null, terms: null, accepts: "all" },
	exit: { noticeDays: null, charge: null, keepDays: 30 },
};

function south(change: Partial<Sheet> = {}, about: Partial<Peer> = {}): Peer {
	return {
		...{ id: "1", origin: "https://south.example", toldBy: "staff", standing: "usual", hidden: false, knowsUs: false },
		...{ mostMoves: null, mostBytes: null, key: { id: "k", key: "z" }, newKey: null, problem: null },
		...{ publishedAt: 1, expiresAt: 2, addedAt: 0, seenAt: 1, sheet: { ...sheet, ...change } },
		...about,
	};
}

test.each<[string, Peer, string | undefined]>([
	["all is well", south(), undefined],
	["it takes nothing", south({ accepts: "none" }), "provider-closed"],
	["it takes only from whom it knows", south({ accepts: "known" }), "node-not-accepted"],
	["it takes from whom it knows, and knows us", south({ accepts: "known" }, { knowsUs: true }), undefined],
	["it lacks the service", south({ services: [] }), "provider-lacks"],
	["its service is older", south({ services: [{ name: "snac", title: "snac", version: "2.9" }] }), "provider-older"],
	["its service is newer", south({ services: [{ name: "snac", title: "snac", version: "2.100" }] }), undefined],
	["it does not tell the version", south({ services: [{ name: "snac", title: "snac", version: null }] }), undefined],
	["a deployment may not be so large", south({ limits: { bytes: 99 * MiB } }), "migration-too-large"],
	["it has no room", south({ freeBytes: 99 * MiB }), "migration-too-large"],
	["there is just enough room", south({ freeBytes: 100 * MiB }), undefined],
	["it shows another key", south({}, { newKey: { id: "k", key: "y" } }), "node-key-changed"],
	["it has no sheet", south({}, { sheet: null }), "node-silent"],
])("%s", (_what, peer, code) => {
	expect(objectionTo(peer, luggage, us)?.code).toBe(code);
});

test("who has to ask for leave is told for whom", () => {
	expect(objectionTo(south({ accepts: "known" }), luggage, us)?.params).toEqual({ origin: us });
});

test.each([
	["1.9", "1.10", true],
	["1.10", "1.9", false],
	["1", "1.0.1", true],
	["1.0", "1", false],
	["v2.1-rc1", "2.2", true],
	["unknown", "2.2", false],
	["2.2", "unstable", false],
])("%s before %s: %s", (one, other, older) => {
	expect(isOlder(one, other)).toBe(older);
});
