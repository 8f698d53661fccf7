/** Listings told as differences from older ones, and requests for the pieces of one. */
import { seed } from "./nodes.ts";

const lines = (...names: string[]) =>
	names.map((name) => `{"path":"${name}","pieces":[],"size":0,"type":"file"}\n`).join("");
const line = (name: string) => lines(name);

const older = lines("a", "b", "c", "d", "e");

export function listingVectors() {
	const differences = [
		{ name: "nothing has changed", difference: "[0,5]\n", newer: older },
		{
			name: "one is new, one is gone",
			difference: `[0,1]\n${line("aa")}[2,3]\n`,
			newer: lines("a", "aa", "c", "d", "e"),
		},
		{ name: "all of it anew", difference: lines("x", "y"), newer: lines("x", "y") },
		{ name: "empty", difference: "", newer: "" },
		{ name: "backwards", difference: "[3,1]\n[0,1]\n", newer: null },
		{ name: "twice the same", difference: "[0,2]\n[1,1]\n", newer: null },
		{ name: "more than there is", difference: "[4,2]\n", newer: null },
		{ name: "no lines", difference: "[1]\n", newer: null },
	];
	const [nonce, listing] = [seed("request").subarray(0, 16), seed("listing")];
	const asked = (...numbers: number[]) => Buffer.concat([nonce, listing, Buffer.from(numbers)]).toString("hex");
	const requests = [
		{ bytes: asked(), runs: [] },
		{ bytes: asked(0, 0, 2, 1, 0, 1), runs: [run(0, 0, 2), run(1, 0, 1)] },
		{ bytes: asked(5, 3, 1, 0, 4, 200, 1, 172, 2, 0, 1), runs: [run(5, 3, 1), run(5, 4, 200), run(305, 0, 1)] },
		...[
			asked(0, 0),
			asked(0, 0, 0),
			asked(0, 3, 2, 0, 4, 1),
			asked(0, 0, 128),
			asked(255, 255, 255, 255, 16, 0, 1),
		].map((bytes) => ({ bytes, runs: null })),
		{ bytes: asked().slice(0, 94), runs: null },
	];
	return {
		about:
			"newer, runs null: to be refused. A run: the line of the listing from 0, its first piece, and how many. Bytes in hex.",
		...{ older, differences, listing: listing.toString("base64url"), requests },
	};
}

const run = (line: number, first: number, count: number) => ({ line, first, count });
