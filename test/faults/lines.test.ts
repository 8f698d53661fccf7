/** Bad lines between two nodes: carried by hand, wherever tests run; and by the kernel, between addresses of their own. */
import { randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { layWire, run, tried } from "../wire.ts";
import { Choir, moreRoom, twoAdas } from "./choir.ts";
import type { Provider } from "./internet.ts";
import { Line, type Weather } from "./line.ts";
import { type Machine, Pair } from "./pair.ts";

const names = `10.213.${process.pid % 250}`;
const bridge = `fv${process.pid}`;
const spaces = { north: `fvn${process.pid}`, south: `fvs${process.pid}` };

const lines = [
	["1 Mbit/s", "tbf rate 1mbit burst 32kbit latency 400ms"],
	["5 % of all packets lost", "netem loss 5%"],
	["packets overtaking each other", "netem delay 20ms reorder 25% 50%"],
	["200 ms each way", "netem delay 200ms"],
] as const;

const isBuilt = tried(build);
afterAll(() => void tried(remove));

/** Bytes a second, or what goes wrong, for each of several moves at once. */
const weathers = {
	thin: { rate: 125_000 },
	lossy: { packet: 1460, loss: { oneOf: 20, again: 200 } },
	jumpy: { packet: 1460, jitter: 40 },
	broken: { packet: 1460, resets: { times: 8, within: 60_000 } },
} satisfies Record<string, Weather>;
type Kind = keyof typeof weathers;

test("a deployment moves over a line that is thin, loses, lets overtake, or breaks again and again", async () => {
	await Pair.with({}, async (pair) => {
		const kinds = Object.keys(weathers) as Kind[];
		await using lines = new AsyncDisposableStack();
		const lineOf = async (kind: Kind, to: Provider) =>
			lines.adopt(await Line.open(pair.at(to), weathers[kind]), (line) => line.close());
		const laid = Object.fromEntries(
			await Promise.all(
				kinds.map(async (kind) => [
					kind,
					{ north: await lineOf(kind, "north"), south: await lineOf(kind, "south") } as const,
				]),
			),
		) as Record<Kind, Record<Provider, Line>>;
		const by = new Map<string, Kind>();
		pair.internet.line = ({ sid = "", to, kind }) => {
			const laidFor = by.get(sid);
			// When the first question gets lost, whoever pasted the token is told to try again.
			return laidFor && kind !== "enquiry" ? laid[laidFor][to].at : undefined;
		};
		const people = await twoAdas(pair);
		for (const _ of kinds.slice(1)) await moreRoom(pair, people);
		await Promise.all(
			kinds.map(async (kind) => {
				const choir = await Choir.found(pair, people, kind);
				await choir.poster.show("The score", randomBytes(300_000));
				const begun = await choir.begin((sid) => by.set(sid, kind));
				expect([kind, await choir.ended(begun)]).toEqual([kind, ["done", "done"]]);
				expect([kind, await choir.losses("south")]).toEqual([kind, []]);
			}),
		);
		// Every one was as bad as it should be.
		const told = (kind: Kind) => [laid[kind].north.told, laid[kind].south.told];
		for (const kind of kinds) expect([kind, told(kind).every(({ packets }) => packets > 0)]).toEqual([kind, true]);
		expect(told("lossy").reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(3);
		expect(told("broken").reduce((sum, { resets }) => sum + resets, 0)).toBeGreaterThan(3);
	});
}, 180_000);

describe.skipIf(!isBuilt)("two nodes in network namespaces (needs root)", () => {
	for (const [name, discipline] of lines)
		test.skipIf(!isBuilt || !tried(() => shape(discipline)))(
			`a deployment moves over a line with ${name} (needs a kernel with ${discipline.split(" ")[0]})`,
			async () => {
				shape(discipline);
				await Pair.with({ machines: { north: machine("north", 2), south: machine("south", 3) } }, async (pair) => {
					const choir = await Choir.found(pair, await twoAdas(pair), "line");
					expect(await choir.ended(await choir.begin())).toEqual(["done", "done"]);
					expect(await choir.losses("south")).toEqual([]);
				});
			},
			180_000,
		);
});

function machine(provider: Provider, host: number): Machine {
	const enter = ["ip", "netns", "exec", spaces[provider]];
	return { address: `${names}.${host}`, enter, names: `${names}.1` };
}

function build(): void {
	run(`ip link add ${bridge} type bridge`);
	run(`ip addr add ${names}.1/24 dev ${bridge}`);
	run(`ip link set ${bridge} up`);
	for (const [space, host] of [
		[spaces.north, 2],
		[spaces.south, 3],
	] as const) {
		layWire(space, `${names}.${host}/24`);
		run(`ip link set ${space} master ${bridge} up`);
	}
}

function remove(): void {
	for (const space of Object.values(spaces)) tried(() => run(`ip netns del ${space}`));
	run(`ip link del ${bridge}`);
}

/** What leaves either node goes through this. */
function shape(discipline: string): void {
	for (const space of Object.values(spaces)) run(`tc -n ${space} qdisc replace dev line root ${discipline}`);
}
