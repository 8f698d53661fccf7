/** The network between two nodes is gone for a whole minute: too long to be tried each time. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { Choir, moreRoom, twoAdas, Witness } from "../faults/choir.ts";
import { providers } from "../faults/internet.ts";
import { Line } from "../faults/line.ts";
import { Pair } from "../faults/pair.ts";

/** When it begins, and whether nothing comes through any more, or connections break and are refused. */
const cuts = {
	"copying-silent": { at: "pieces", cut: "fallSilent" },
	"copying-broken": { at: "pieces", cut: "fallApart" },
	"resting-silent": { at: "vote", cut: "fallSilent" },
	"resting-broken": { at: "vote", cut: "fallApart" },
	"moved-silent": { at: "move", cut: "fallSilent" },
	"moved-broken": { at: "move", cut: "fallApart" },
} as const;

test("a minute without network, at any time, is waited for: the move goes on, with everything, served once", async () => {
	await Pair.with({}, async (pair) => {
		await using laid = new AsyncDisposableStack();
		const people = await twoAdas(pair);
		const names = Object.keys(cuts) as (keyof typeof cuts)[];
		for (const _ of names.slice(1)) await moreRoom(pair, people);
		const choirs = await Promise.all(names.map((name) => Choir.found(pair, people, name)));
		const lines = await Promise.all(
			names.map((_) =>
				Promise.all(providers.map(async (to) => laid.adopt(await Line.open(pair.at(to)), (line) => line.close()))),
			),
		);
		const by = new Map<string, number>();
		const over = new Map<number, Promise<void>>();
		pair.internet.fate = ({ sid = "", kind }) => {
			const n = by.get(sid);
			const { at, cut } = cuts[names[n ?? 0] ?? "copying-silent"];
			if (n === undefined || kind !== at || over.has(n)) return "pass";
			over.set(n, pause(60_000));
			for (const line of lines[n] ?? []) line[cut](over.get(n) ?? Promise.resolve());
			return "pass";
		};
		pair.internet.line = ({ sid = "", to }) => lines[by.get(sid) ?? -1]?.[providers.indexOf(to)]?.at;
		const witness = new Witness(pair, choirs);
		await Promise.all(
			choirs.map(async (choir, n) => {
				const begun = await choir.begin((sid) => by.set(sid, n));
				expect([choir.domain, await choir.ended(begun, 500)]).toEqual([choir.domain, ["done", "done"]]);
				expect([choir.domain, await choir.losses("south")]).toEqual([choir.domain, []]);
			}),
		);
		const served = await witness.close();
		for (const { host } of choirs) expect([host, served[host]]).toEqual([host, ["north", "south"]]);
		expect(over.size).toBe(names.length);
	});
});
