import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkSymlink, comesBefore, rawOf, rawPathOf, textOf } from "./name.ts";

const raw = (text: string) => Buffer.from(text).toString("latin1");

test("writes names as text, with %XX for what is no UTF-8", () => {
	expect(textOf("a b/c.txt")).toBe("a b/c.txt");
	expect(textOf(raw("ümlaut/日本語/🦆"))).toBe("ümlaut/日本語/🦆");
	expect(textOf("100%")).toBe("100%25");
	expect(textOf("caf\xe9.txt")).toBe("caf%E9.txt");
	expect(textOf(`${raw("ü")}\xfc${raw("€").slice(0, 2)}x`)).toBe("ü%FC%E2%82x");
});

test("any bytes come back from their text", () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
			const name = Buffer.from(bytes).toString("latin1");
			expect(rawOf(textOf(name))).toBe(name);
			expect(Buffer.from(JSON.stringify(textOf(name))).toString()).toBe(JSON.stringify(textOf(name)));
		}),
	);
});

test.each(["%61", "%e9", "%C3%BC", "100%", "%2", "\ud800", "a%2Fb%"])(
	"takes no other text for the same: %j",
	(text) => {
		expect(() => rawOf(text)).toThrow(/cannot be moved/);
	},
);

test.each([
	"",
	"/",
	"/a",
	"a/",
	"a//b",
	".",
	"..",
	"a/..",
	"a/../b",
	"./a",
	"a\0",
	"%00",
	"a%2F..%2Fb",
	"a".repeat(256),
])("no path leads out: %j", (path) => {
	expect(() => rawPathOf(path)).toThrow(/cannot be moved/);
	expect(() => rawPathOf(`inside/${path}`, "inside")).toThrow(/cannot be moved/);
});

test("paths stand in the order in which a walk comes by them", () => {
	const sorted = ["a", "a/b", "a/b/c", "a/b0", "a!", "a-b", "a.b", "a0", "b"];
	for (const [n, one] of sorted.entries())
		for (const [m, other] of sorted.entries()) expect(comesBefore(one, other), `${one} ${other}`).toBe(n < m);
	fc.assert(
		fc.property(fc.string({ unit: fc.constantFrom("a", "/", "!", "0"), maxLength: 8 }), fc.string(), (one, other) => {
			const order = (path: string) => path.replaceAll("/", "\0");
			expect(comesBefore(one, other)).toBe(order(one) < order(other));
		}),
	);
});

describe("a symlink", () => {
	test.each([
		["a", "b"],
		["a/b", "../c"],
		["a/b/c", "../../d/e"],
		["a/b", "c/d"],
		["a/b", "./c"],
		["a/b", ".."],
	])("%s → %s stays inside", (path, text) => {
		expect(() => checkSymlink(path, text)).not.toThrow();
	});

	test.each([
		["a", "/b"],
		["a", ".."],
		["a", "../b"],
		["a/b", "../../c"],
		["a/b", "c/../../../d"],
		["a/b", "c/.."],
		["a/b", "./../../c"],
		["a", ""],
	])("%s → %s does not", (path, text) => {
		expect(() => checkSymlink(path, text)).toThrow(/leads out/);
	});
});
