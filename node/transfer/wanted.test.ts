import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashOf } from "../volumes/piece.ts";
import { type Entry, type PieceName, pieceSize } from "../volumes/volume.ts";
import { Entries, ListingFile, lineOf } from "./lines.ts";
import { Wanted } from "./wanted.ts";
import { mostWants } from "./wants.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const piece = hashOf(Buffer.from("a"));
/** Paths that are easily taken for something else in a line; every third file has three pieces, the last of one byte. */
const path = (number: number) =>
	[`f${number}`, `"path":"f${number}`, `f${number}\\"`, `ä${number}`][number % 4] as string;
const entry = (number: number): Entry => {
	const count = number % 3 === 0 ? 3 : 1;
	const meta = number % 5 === 0 ? { meta: { path: "no", "content-type": "x" } } : {};
	const size = (count - 1) * pieceSize + 1;
	return { path: path(number), type: "object", size, pieces: Array.from({ length: count }, () => piece), ...meta };
};
const count = 1000;

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "wanted-"));
	writeFileSync(at("listing"), Array.from({ length: count }, (_, number) => `${lineOf(entry(number))}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true }));

function wanted(...batches: (readonly PieceName[])[]): Wanted {
	const wanted = new Wanted(at("wanted"), at("listing"));
	for (const names of batches) wanted.add(names);
	wanted.end();
	return wanted;
}

test("names become lines and runs of pieces, with what they amount to", () => {
	const names = [
		{ path: path(3), index: 0 },
		{ path: path(3), index: 1 },
		{ path: path(6), index: 2 },
		{ path: path(999), index: 2 },
		{ path: path(999), index: 0 },
	];
	const all = wanted(names);
	const amount = { pieces: 5, bytes: 3 * pieceSize + 2, items: 3 };
	expect(all).toMatchObject(amount);
	expect([...all.batches()]).toEqual([
		{
			...amount,
			wants: [
				{ line: 3, first: 0, count: 2 },
				{ line: 6, first: 2, count: 1 },
				{ line: 999, first: 0, count: 1 },
				{ line: 999, first: 2, count: 1 },
			],
		},
	]);
});

test("names in any order are found, in requests that go forwards", () => {
	const backwards = Array.from({ length: 40 }, (_, at) => ({ path: path(999 - 7 * at), index: 0 }));
	const lines = [...wanted(...backwards.map((name) => [name])).batches()].flatMap(({ wants }) =>
		wants.map(({ line }) => line),
	);
	expect(lines.toSorted((a, b) => b - a)).toEqual(backwards.map((_, at) => 999 - 7 * at));
	for (const { wants } of wanted(backwards).batches())
		expect(wants.map(({ line }) => line)).toEqual(wants.map(({ line }) => line).toSorted((a, b) => a - b));
});

test("a target that asks for what is not listed is told so", () => {
	expect(() => wanted([{ path: "nowhere", index: 0 }])).toThrow("not in the listing");
	expect(() => wanted([{ path: path(500), index: 0 }], [{ path: "nowhere", index: 0 }])).toThrow("not in the listing");
	expect(() => wanted([{ path: path(1), index: 1 }])).toThrow("has no piece 1");
});

test("more than one request holds becomes several", () => {
	const lines = Array.from({ length: mostWants + 10 }, (_, number) => `${lineOf(entry(4 * number + 1))}\n`);
	writeFileSync(at("long"), lines.join(""));
	const all = new Wanted(at("wanted"), at("long"));
	for (let number = 0; number < lines.length; number++) all.add([{ path: path(4 * number + 1), index: 0 }]);
	all.end();
	const batches = [...all.batches()];
	expect(batches.map(({ wants }) => wants.length)).toEqual([mostWants, 10]);
	expect(batches[1]).toMatchObject({ pieces: batches[1]?.wants.reduce((sum, { count }) => sum + count, 0) });
});

test("a listing gives its entries as often as one likes, and single ones by their lines", async () => {
	const listing = new ListingFile(at("listing"), { entries: count, bytes: 0, listing: piece });
	for (let turn = 0; turn < 2; turn++) {
		const all: Entry[] = [];
		for await (const batch of listing.batches()) all.push(...batch);
		expect(all).toEqual(Array.from({ length: count }, (_, number) => entry(number)));
	}
	const entries = new Entries(at("listing"));
	expect([entries.at(2), entries.at(2), entries.at(700), entries.at(count)]).toEqual([
		entry(2),
		entry(2),
		entry(700),
		undefined,
	]);
	entries.close();
});
