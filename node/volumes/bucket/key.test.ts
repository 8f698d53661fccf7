import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyOf, pathOf } from "./key.ts";

test.each([
	["a/b.jpg", "a/b.jpg"],
	["/a//b", "%2Fa/%2Fb"],
	["a/", "a%2F"],
	["//", "%2F%2F"],
	["a/../b/.", "a/%2E%2E/b/%2E"],
	["...", "..."],
	["%2F", "%252F"],
	["ü\n", "ü%0A"],
])("the path of key %j is %s", (key, path) => {
	expect(pathOf(key)).toBe(path);
	expect(keyOf(path)).toBe(key);
});

test("every key has a path of its own, relative and without ways out", () => {
	const key = fc.string({
		unit: fc.constantFrom("/", ".", "%", "2", "F", "a", "ü", "\n"),
		minLength: 1,
		maxLength: 12,
	});
	fc.assert(
		fc.property(key, (text) => {
			const path = pathOf(text);
			expect(keyOf(path)).toBe(text);
			expect(path.split("/").filter((part) => part === "" || part === "." || part === "..")).toEqual([]);
		}),
	);
});

describe("what no key can be is refused", () => {
	test.each(["", "/a", "a//b", "a/./b", "%61", "%4", "%ff", "\ud800", "ä".repeat(513)])("%j", (path) => {
		expect(() => keyOf(path)).toThrow(expect.objectContaining({ code: "volume-unfit" }));
	});
});
