/** Two nodes with addresses of their own and a bad line between them. Needs root and a kernel with the line's discipline. */
import { execFileSync } from "node:child_process";
import { afterAll, describe, expect, test } from "vitest";
import { Choir, twoAdas } from "./choir.ts";
import type { Provider } from "./internet.ts";
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

describe.skipIf(!isBuilt)("two nodes in network namespaces (needs root)", () => {
	for (const [name, discipline] of lines)
		test.skipIf(!isBuilt || !tried(() => shape(discipline)))(
			`a deployment moves over a line with ${name}`,
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

function run(command: string): void {
	const [program = "", ...args] = command.split(" ");
	execFileSync(program, args, { stdio: "ignore" });
}

function tried(work: () => void): boolean {
	try {
		work();
		return true;
	} catch {
		return false;
	}
}

function build(): void {
	run(`ip link add ${bridge} type bridge`);
	run(`ip addr add ${names}.1/24 dev ${bridge}`);
	run(`ip link set ${bridge} up`);
	for (const [space, host] of [
		[spaces.north, 2],
		[spaces.south, 3],
	] as const) {
		run(`ip netns add ${space}`);
		run(`ip link add ${space} type veth peer name line netns ${space}`);
		run(`ip link set ${space} master ${bridge} up`);
		run(`ip -n ${space} addr add ${names}.${host}/24 dev line`);
		run(`ip -n ${space} link set line up`);
		run(`ip -n ${space} link set lo up`);
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
