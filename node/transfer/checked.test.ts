import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashOf } from "../volumes/piece.ts";
import type { Entry } from "../volumes/volume.ts";
import { checkListing, checkManifest } from "./checked.ts";
import type { ManifestVolume } from "./inventory.ts";
import { lineOf } from "./lines.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "checked-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const piece = hashOf(Buffer.from("a"));
const file = (path: string): Entry => ({ path, type: "file", size: 1, pieces: [piece], mode: 0o644 });
const tree = (path: string): Entry => ({ path, type: "folder", size: 0, pieces: [] });
const link = (path: string, target: string): Entry => ({ path, type: "hardlink", size: 0, pieces: [], target });
const symlink = (path: string, target: string): Entry => ({ path, type: "symlink", size: 0, pieces: [], target });

const volume: ManifestVolume = {
	...{ service: "snac", name: "data", kind: "directory", listing: piece },
	...{ entries: 0, bytes: 0, length: 0 },
};

function check(text: string, more: Partial<ManifestVolume>): Promise<void> {
	writeFileSync(join(folder, "listing"), text);
	return checkListing(join(folder, "listing"), { ...volume, ...more });
}

const checkAll = (entries: readonly Entry[], more: Partial<ManifestVolume> = {}) =>
	check(entries.map((entry) => `${lineOf(entry)}\n`).join(""), {
		entries: entries.length,
		bytes: entries.reduce((sum, { size }) => sum + size, 0),
		...more,
	});

test("an honest listing passes", async () => {
	await checkAll([tree("a"), file("a/b"), link("c", "a/b"), symlink("d", "a/b"), tree("e")]);
	await checkAll(Array.from({ length: 5000 }, (_, number) => file(`${number}`)));
	await checkAll([{ path: "x/y", type: "object", size: 1, pieces: [piece] }], { kind: "bucket" });
	await checkAll([]);
});

test.each<[string, readonly Entry[], Partial<ManifestVolume>?]>([
	["lists something twice", [file("a"), file("a")]],
	["lists a file as a folder later", [file("a"), tree("a")]],
	["lists what lies in no folder", [file("a/b")]],
	["lists what lies in a file", [file("a"), file("a/b")]],
	["lists what lies behind a symlink", [tree("b"), symlink("a", "b"), file("a/c")]],
	["lists a folder after what is in it", [file("a/b"), tree("a")]],
	["names a hard link before its file", [link("c", "a"), file("a")]],
	["names a folder twice", [tree("a"), link("c", "a")]],
	["leads out of the volume", [symlink("a", "../b")]],
	["has more entries than announced", [file("a"), file("b")], { entries: 1 }],
	["has fewer entries than announced", [file("a"), file("b")], { entries: 3 }],
	["holds more bytes than announced", [file("a"), file("b")], { bytes: 1 }],
	["holds fewer bytes than announced", [file("a"), file("b")], { bytes: 3 }],
	["is for another kind", [file("a")], { kind: "bucket" }],
])("a listing that %s is refused", async (_what, entries, more) => {
	await expect(checkAll(entries, more)).rejects.toMatchObject({ code: "copy-refused" });
});

test("a last line that no line feed ends is refused", async () => {
	await expect(check(`${lineOf(file("a"))}\n{`, { entries: 1, bytes: 1 })).rejects.toMatchObject({
		code: "copy-refused",
	});
});

test("a manifest that contradicts itself is refused before anything is fetched", () => {
	const limits = { bytes: 1e12, entries: 1e6 };
	const fits = { ...volume, entries: 10, bytes: 1000, length: 2000 };
	const manifest = (...volumes: ManifestVolume[]) => ({ round: 1, final: false, volumes });
	const refused = expect.objectContaining({ code: "copy-refused" });
	checkManifest(manifest(fits, { ...fits, name: "more" }), limits);
	expect(() => checkManifest(manifest(fits, fits), limits)).toThrow(refused);
	expect(() => checkManifest(manifest({ ...fits, length: 50_000_000 }), limits)).toThrow(refused);
	expect(() => checkManifest(manifest({ ...fits, entries: 100_000 }), limits)).toThrow(refused);
	const large = { ...fits, entries: 999_999, length: 99_999_900 };
	checkManifest(manifest(large), limits);
	expect(() => checkManifest(manifest(large, { ...fits, name: "more" }), limits)).toThrow(
		expect.objectContaining({ code: "copy-too-large" }),
	);
});

test("lists are not longer than what was agreed for all that they list", () => {
	const limits = { bytes: 1e6, entries: 1e9 };
	const many = { ...volume, entries: 1_000_000, bytes: 0, length: 60_000_000 };
	const manifest = (...volumes: ManifestVolume[]) => ({ round: 1, final: false, volumes });
	checkManifest(manifest(many), limits);
	expect(() => checkManifest(manifest(many, { ...many, name: "more" }), limits)).toThrow(
		expect.objectContaining({ code: "copy-too-large" }),
	);
});
