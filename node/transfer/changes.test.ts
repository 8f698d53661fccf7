import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashOf } from "../volumes/piece.ts";
import type { Entry } from "../volumes/volume.ts";
import { changesSince, type Listed } from "./changes.ts";
import { lineOf } from "./lines.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "changes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const piece = hashOf(Buffer.from("a"));
const file = (path: string, size = 1): Entry => ({ path, type: "file", size, pieces: [piece] });
const folderAt = (path: string): Entry => ({ path, type: "folder", size: 0, pieces: [], mode: 0o755 });
let count = 0;

function listing(entries: readonly Entry[], more: Partial<Listed["volume"]> = {}): Listed {
	const at = join(folder, String(count++));
	const text = entries.map((entry) => `${lineOf(entry)}\n`).join("");
	writeFileSync(at, text);
	const bytes = entries.reduce((sum, { size }) => sum + size, 0);
	const volume = { service: "a", name: "b", kind: "directory" as const, entries: entries.length, bytes };
	return { file: at, volume: { ...volume, listing: hashOf(Buffer.from(text)), length: text.length, ...more } };
}

const older = [folderAt("a"), file("a/1"), file("a/2"), folderAt("b"), file("b/1"), file("c")];

test("tells what is new, otherwise or gone, and the folder around it once", async () => {
	const newer = [folderAt("a"), file("a/0"), file("a/1"), file("a/2", 2), file("c"), file("d")];
	const told = await changesSince(listing(older), listing(newer));
	expect(told?.map(({ path, entry, isAround }) => [path, entry?.size ?? null, isAround])).toEqual([
		["a", 0, true],
		["a/0", 1, false],
		["a/2", 2, false],
		["b", null, false],
		["b/1", null, false],
		["d", 1, false],
	]);
	expect(await changesSince(listing(older), listing(older))).toEqual([]);
});

test.each<[string, Entry[]]>([
	["is not in order", [folderAt("a"), file("a/2"), file("a/1"), folderAt("b"), file("b/1"), file("c")]],
	["comes twice", [...older, file("c")]],
	["lies in no folder", [folderAt("a"), file("a/1"), file("a/2"), file("b/1"), file("c")]],
	["lies in a file", [file("a"), file("a/1"), file("a/2"), folderAt("b"), file("b/1"), file("c")]],
	["has several names", [...older, { ...file("d", 0), type: "hardlink", pieces: [], target: "c" }]],
])("leaves to a closer look what %s", async (_what, newer) => {
	expect(await changesSince(listing(older), listing(newer))).toBeUndefined();
});

test.each<[string, Entry[], Partial<Listed["volume"]>]>([
	["has another sum than announced", [file("c", 2)], { bytes: 1 }],
	["has more entries than announced", [file("c")], { entries: 2 }],
	["has a line that no honest source writes", [{ ...file("c"), mode: 5000 }], {}],
])("refuses what %s", async (_what, newer, lie) => {
	const refused = { code: "copy-refused" };
	await expect(changesSince(listing([file("c")]), listing(newer, lie))).rejects.toMatchObject(refused);
});
