/** Many deployments move between two nodes at once, in both directions. `FAULTS_CROWD=100` says how many. */
import { expect, test } from "vitest";
import { reach } from "../stories/reach.ts";
import { eventually } from "../stories/world.ts";
import { Choir, moreRoom, other, type People, twoAdas } from "./choir.ts";
import { providers } from "./internet.ts";
import { Pair } from "./pair.ts";

const many = Number(process.env["FAULTS_CROWD"] ?? 6);
/** Megabytes. */
const mostMemory = 450;
/** A customer has no more tokens that wait than 20; and so many are found, or begin to move, at a time. */
const [each, hands] = [15, 6];

test(`${many} deployments move at once, half of them towards each other, with at most ${mostMemory} MB for each node`, async () => {
	await Pair.with({}, async (pair) => {
		const choirs = await founded(pair);
		// What a node loads for its first question from another one takes long where hundreds of processes start.
		for (const provider of providers) await (await reach(`${pair.panel(provider)}/actor`, {})).arrayBuffer();
		const peak = { north: 0, south: 0 };
		const watch = setInterval(() => {
			for (const provider of providers) peak[provider] = Math.max(peak[provider], pair.memory(provider));
		}, 200);
		const before = providers.map((provider) => Math.round(pair.memory(provider)));
		const began = performance.now();
		const times: [began: number, ended: number][] = [];
		const seconds = () => Math.round((performance.now() - began) / 1000);
		const under: Promise<[string, string]>[] = [];
		try {
			await byHands(choirs, async (choir) => {
				const begun = await choir.begin();
				const at = seconds();
				const ended = choir.ended(begun, 3000).then((end) => {
					times.push([at, seconds()]);
					return end;
				});
				under.push(ended);
				ended.catch(() => {});
			});
			const ends = await Promise.all(under);
			expect(ends).toEqual(choirs.map(() => ["done", "done"]));
		} finally {
			clearInterval(watch);
		}
		const atOnce = Math.max(...times.map(([at]) => times.filter(([from, until]) => from <= at && at <= until).length));
		console.info(
			`${many} migrations, ${atOnce} at once, from when to when: ${times.map((one) => one.join("-")).join(" ")}`,
		);
		console.info(
			`Memory before: ${before} MB; most: North ${Math.round(peak.north)} MB, South ${Math.round(peak.south)} MB`,
		);
		for (const choir of choirs) {
			expect(await choir.losses(other(choir.at))).toEqual([]);
			await eventually("it serves there alone", async () => {
				const states = await choir.states();
				expect(states).toEqual({ [choir.at]: ["moved"], [other(choir.at)]: ["serving"] });
				return true;
			});
		}
		for (const provider of providers) expect(peak[provider]).toBeLessThan(mostMemory);
	});
}, 3_600_000);

async function founded(pair: Pair): Promise<Choir[]> {
	const crowd: People[] = [];
	for (let n = 0; n * each < many; n++) crowd.push(await twoAdas(pair, n === 0 ? "ada" : `ada${n}`));
	const numbers = Array.from({ length: many }, (_, n) => n);
	for (const n of numbers) if (n >= crowd.length) await moreRoom(pair, crowd[n % crowd.length] as People);
	const choirs: Choir[] = [];
	await byHands(numbers, async (n) => {
		const people = crowd[n % crowd.length] as People;
		choirs.push(await Choir.found(pair, people, `crowd${n}`, n % 2 === 0 ? "north" : "south"));
	});
	return choirs;
}

/** Does it for each, a few at a time. */
async function byHands<One>(all: readonly One[], work: (one: One) => Promise<void>): Promise<void> {
	const left = [...all];
	const hand = async () => {
		for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
	};
	await Promise.all(Array.from({ length: hands }, hand));
}
