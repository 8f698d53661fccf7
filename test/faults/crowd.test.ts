/** Many deployments move between two nodes at once, in both directions. `FAULTS_CROWD=100` says how many. */
import { expect, test } from "vitest";
import { eventually } from "../stories/world.ts";
import { Choir, moreRoom, other, twoAdas } from "./choir.ts";
import { providers } from "./internet.ts";
import { Pair } from "./pair.ts";

const many = Number(process.env["FAULTS_CROWD"] ?? 6);
/** Megabytes. */
const mostMemory = 450;

test(`${many} deployments move at once, half of them towards each other, with at most ${mostMemory} MB for each node`, async () => {
	await Pair.with({}, async (pair) => {
		const people = await twoAdas(pair);
		const choirs: Choir[] = [];
		for (let n = 0; n < many; n++) {
			if (n > 0) await moreRoom(pair, people);
			choirs.push(await Choir.found(pair, people, `crowd${n}`, n % 2 === 0 ? "north" : "south"));
		}
		const peak = { north: 0, south: 0 };
		const watch = setInterval(() => {
			for (const provider of providers) peak[provider] = Math.max(peak[provider], pair.memory(provider));
		}, 200);
		const before = providers.map((provider) => Math.round(pair.memory(provider)));
		const began = performance.now();
		const times: number[] = [];
		const ends = await Promise.all(
			choirs.map(async (choir) => {
				const end = await choir.ended(await choir.begin());
				times.push((performance.now() - began) / 1000);
				return end;
			}),
		);
		clearInterval(watch);
		const rounded = times.map((time) => Math.round(time));
		console.info(`${many} migrations ended after ${rounded[0]} to ${rounded.at(-1)} s: ${rounded.join(" ")}`);
		console.info(
			`Memory before: ${before} MB; most: North ${Math.round(peak.north)} MB, South ${Math.round(peak.south)} MB`,
		);
		expect(ends).toEqual(choirs.map(() => ["done", "done"]));
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
