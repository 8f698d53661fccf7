import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { keyOf, pathOf } from "../../node/volumes/bucket/key.ts";
import { rawPathOf, textOf } from "../../node/volumes/directory/name.ts";
import {
	type Entry as NodeEntry,
	type VolumeKind as NodeKind,
	pieceSize as nodePieceSize,
} from "../../node/volumes/volume.ts";
import { checkEntry, type Entry, pieceSize, type VolumeKind } from "./entry.ts";
import { isKeyPath, isLinkText, isTreePath } from "./path.ts";

const piece = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
const file = { mode: 420, modified: "1795363845000000000", path: "a/b.txt", pieces: [piece], size: 5, type: "file" };
const written = (change: object = {}) => {
	const { meta, mode, modified, path, pieces, size, target, type } = {
		meta: undefined,
		target: undefined,
		...file,
		...change,
	};
	return JSON.stringify({ meta, mode, modified, path, pieces, size, target, type });
};
const none = { mode: undefined, modified: undefined, pieces: [], size: 0 };
const refused = expect.objectContaining({ code: "copy-refused" });

test("an entry is what the node calls one", () => {
	expectTypeOf<Entry>().toEqualTypeOf<NodeEntry>();
	expectTypeOf<VolumeKind>().toEqualTypeOf<NodeKind>();
	expect(pieceSize).toBe(nodePieceSize);
});

test.each<[VolumeKind, object]>([
	["directory", {}],
	["directory", { ...none, type: "folder", mode: 0o2775 }],
	["directory", { ...none, type: "symlink", target: "../c", modified: "-5" }],
	["directory", { ...none, type: "hardlink", target: "a/c" }],
	["directory", { path: "ünï/€ %25 %FF\n", modified: "0" }],
	["directory", { size: pieceSize, pieces: [piece] }],
	["directory", { size: pieceSize + 1, pieces: [piece, piece] }],
	["directory", { size: 0, pieces: [] }],
	["sqlite", {}],
	["postgres", { mode: undefined, modified: undefined, type: "dump", path: "base", meta: { a: "1", b: "2" } }],
	[
		"bucket",
		{
			mode: undefined,
			modified: undefined,
			type: "object",
			path: "%2Fa/%2Fb/%2E%2E/c%2F",
			meta: { "content-type": "x" },
		},
	],
])("a %s can have %j", (kind, change) => {
	expect(JSON.stringify(checkEntry(written(change), kind))).toBe(written(change));
});

test.each<[string, object]>([
	["an absolute path", { path: "/etc/passwd" }],
	["a way out", { path: "../x" }],
	["a way out in between", { path: "a/../../x" }],
	["a dot", { path: "./a" }],
	["an empty part", { path: "a//b" }],
	["a slash at the end", { path: "a/" }],
	["no path", { path: "" }],
	["NUL", { path: "a\0b" }],
	["NUL, written otherwise", { path: "a%00b" }],
	["dots, written otherwise", { path: "%2E%2E/x" }],
	["a slash, written otherwise", { path: "a%2Fb" }],
	["small hex digits", { path: "%ff" }],
	["UTF-8 as bytes", { path: "%C3%BC" }],
	["a bare per cent", { path: "100%" }],
	["half a surrogate pair", { path: "a\ud800" }],
	["a name of 256 bytes", { path: "x".repeat(256) }],
	["a name of 256 bytes in fewer letters", { path: "ü".repeat(128) }],
	["a path of 4097 bytes", { path: `${"x/".repeat(2048)}y` }],
	["too few pieces", { size: pieceSize + 1 }],
	["too many pieces", { pieces: [piece, piece] }],
	["a negative size", { size: -1, pieces: [] }],
	["half a byte", { size: 0.5 }],
	["a size beyond counting", { size: 2 ** 53 }],
	["a piece's name too short", { pieces: [piece.slice(1)] }],
	["a piece's name with loose bits", { pieces: [`${piece.slice(0, 42)}1`] }],
	["pieces that are no list", { pieces: piece }],
	["a mode with more bits", { mode: 0o10000 }],
	["half a mode", { mode: 1.5 }],
	["a time with a zero before it", { modified: "01" }],
	["a time that is a number", { modified: 5 }],
	["a file with a target", { target: "x" }],
	["a file with meta", { meta: {} }],
	["a folder with content", { type: "folder" }],
	["a device", { type: "device" }],
	["a type of every object", { type: "toString" }],
	["an object in a folder", { ...none, type: "object" }],
	["a link without target", { ...none, type: "symlink" }],
	["a link to the root", { ...none, type: "symlink", target: "/" }],
	["a link out", { ...none, type: "symlink", target: "../../x" }],
	["a link out behind a name", { ...none, type: "symlink", target: "x/../../.." }],
	["a link through a name and back", { ...none, type: "symlink", target: "../x/.." }],
	["a link to nothing", { ...none, type: "symlink", target: "" }],
	["a link with NUL", { ...none, type: "symlink", target: "a\0" }],
	["a link with content", { type: "symlink", target: "x" }],
	["another name of itself", { ...none, type: "hardlink", target: file.path }],
	["another name of what is outside", { ...none, type: "hardlink", target: "../x" }],
	["another name with a time", { ...none, type: "hardlink", target: "x", modified: "5" }],
])("refused in a folder: %s", (_what, change) => {
	expect(() => checkEntry(written(change), "directory")).toThrow(refused);
});

test.each<[string, VolumeKind, object]>([
	["a file in a bucket", "bucket", {}],
	["a file in a database", "postgres", {}],
	["a link in a database", "sqlite", { ...none, type: "symlink", target: "b" }],
	["anything in secrets", "secret", {}],
	["a volume of another kind", "toString" as VolumeKind, {}],
	["meta that is no text", "postgres", { ...none, type: "dump", meta: { a: 1 } }],
	["meta that is a list", "postgres", { ...none, type: "dump", meta: ["a"] }],
	["meta beyond measure", "postgres", { ...none, type: "dump", meta: { a: "x".repeat(65_536) } }],
	["meta with half a surrogate pair", "postgres", { ...none, type: "dump", meta: { a: "\udc00" } }],
	["a key that begins with a slash", "bucket", { ...none, type: "object", path: "/a" }],
	["a key with dots", "bucket", { ...none, type: "object", path: "a/../b" }],
	["a key with more written as bytes than need be", "bucket", { ...none, type: "object", path: "%41" }],
	["a key of 1025 bytes", "bucket", { ...none, type: "object", path: "x".repeat(1025) }],
	["no key", "bucket", { ...none, type: "object", path: "" }],
])("refused: %s", (_what, kind, change) => {
	expect(() => checkEntry(written(change), kind)).toThrow(refused);
});

test("lines have one spelling", () => {
	const line = written();
	const others = [
		...["", "null", "5", "[]", "{}", "x", `${line} `, ` ${line}`, line.slice(0, -1), `${line}\r`],
		...[
			line.replace("{", '{"extra":1,'),
			line.replace("{", '{"__proto__":{},'),
			line.replace('"size":5', '"size":5.0'),
		],
		...[line.replace('"type":"file"', '"type":"folder","type":"file"'), line.replace("a/b", "a\\/b")],
		JSON.stringify({ ...file, path: undefined, extra: "", ["path" as string]: file.path }),
		written({ ...none, type: "dump", meta: { b: "1", a: "2" } }),
	];
	for (const other of others) expect(() => checkEntry(other, "directory"), other).toThrow(refused);
	expect(() => checkEntry(others.at(-1) ?? "", "postgres")).toThrow(refused);
});

describe("the node writes paths as the protocol has them", () => {
	const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
	const tricky = fc
		.array(
			fc.constantFrom(
				0x25,
				0x2e,
				0x2f,
				0x41,
				0x80,
				0xbf,
				0xc0,
				0xc2,
				0xe0,
				0xa0,
				0xed,
				0xf0,
				0x90,
				0xf4,
				0xff,
				0xc3,
				0xbc,
			),
		)
		.map((list) => Uint8Array.from(list));

	test("names of files, whatever their bytes are", () => {
		fc.assert(
			fc.property(fc.oneof(bytes, tricky), (name) => {
				const text = textOf(Buffer.from(name).toString("latin1"));
				expect(isTreePath(text)).toBe(isFine(() => rawPathOf(text)));
			}),
			{ numRuns: 2000 },
		);
	});

	test("and takes the same texts", () => {
		const letters = fc.constantFrom(
			"a",
			"/",
			".",
			"..",
			"%",
			"%25",
			"%FF",
			"%C3",
			"%BC",
			"%ff",
			"%2E",
			"ü",
			"😀",
			"\0",
			"\ud800",
			"%ED%A0%80",
			"%00",
		);
		fc.assert(
			fc.property(fc.array(letters, { minLength: 1, maxLength: 8 }), (parts) => {
				const text = parts.join("");
				// The node reads names from where half a surrogate pair cannot come from.
				expect(isTreePath(text)).toBe(text.isWellFormed() && isFine(() => rawPathOf(text)));
				expect(isKeyPath(text)).toBe(isFine(() => keyOf(text)));
			}),
			{ numRuns: 3000 },
		);
	});

	test("keys of objects, whatever their letters are", () => {
		const letters = fc.array(fc.constantFrom("a", "/", ".", "%", "\n", "ü", "\x7f", "😀", "%2F"), {
			minLength: 1,
			maxLength: 12,
		});
		fc.assert(
			fc.property(letters, (key) => {
				expect(isKeyPath(pathOf(key.join("")))).toBe(true);
			}),
		);
	});
});

test("a symlink stays inside, whatever the other links are", () => {
	const parts = fc.array(fc.constantFrom("..", "a", "b", ".", ""), { minLength: 1, maxLength: 6 });
	fc.assert(
		fc.property(parts, fc.constantFrom("l", "a/l", "a/b/l"), (target, path) => {
			const text = target.join("/");
			if (!isLinkText(path, text)) return;
			// `a` and `b` may lead anywhere inside, at worst to the root itself, so going up is only safe before them.
			let depth = path.split("/").length - 1;
			for (const part of target) {
				if (part === "..") depth--;
				else if (part === "a" || part === "b") depth = 0;
				expect(depth).toBeGreaterThanOrEqual(0);
			}
		}),
		{ numRuns: 2000 },
	);
});

test("a hostile path does not take long", () => {
	const path = Array.from({ length: 16 }, () => "%FF".repeat(250)).join("/");
	for (let times = 0; times < 200; times++) expect(isTreePath(path)).toBe(true);
	expect(isTreePath("%FF".repeat(100_000))).toBe(false);
});

function isFine(work: () => unknown): boolean {
	try {
		work();
		return true;
	} catch {
		return false;
	}
}
