import { existsSync, mkdtempSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Written } from "./written.ts";

let folder: string;
let lines: string[];
let written: Written;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "fediversity-written-"));
	lines = [];
	written = new Written(join(folder, "said.log"), (line) => lines.push(line));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("lines are told as they come, whole, and the last one at the end, when the file goes", async () => {
	const word = Buffer.from("größer\n");
	expect(statSync(join(folder, "said.log")).mode & 0o777).toBe(0o600);
	writeSync(written.descriptor, word.subarray(0, 3));
	written.read();
	writeSync(written.descriptor, word.subarray(3));
	writeSync(written.descriptor, "50 %\r100 %\r\n\nand");
	await expect.poll(() => lines, { timeout: 30_000 }).toEqual(["größer", "50 %", "100 %", ""]);
	writeSync(written.descriptor, " the end");
	written.end();
	expect(lines.at(-1)).toBe("and the end");
	expect(existsSync(join(folder, "said.log"))).toBe(false);
});

test("of very much that nobody has read yet the last is told, and a line without an end is cut", () => {
	const many = `${"x".repeat(1023)}\n`.repeat(9 * 1024);
	writeSync(written.descriptor, many);
	writeSync(written.descriptor, "y".repeat(2 ** 20));
	written.end();
	expect(lines[0]).toBe(`(${2 * 2 ** 20} bytes are left out here)`);
	expect(lines).toHaveLength(1 + 7 * 1024 + 1);
	expect(lines.at(-1)).toHaveLength(2 ** 16);
});
