import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Sockets } from "./sockets.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "sockets-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("lie in the node's own folder, and what a killed node left is removed", () => {
	const state = join(folder, "ssh");
	const left = new Sockets(state).make();
	writeFileSync(join(left, "known"), "x");
	mkdirSync(join(state, "other"));
	expect(dirname(left)).toBe(state);
	new Sockets(state).clean();
	expect(readdirSync(state)).toEqual(["other"]);
	new Sockets(join(folder, "none")).clean();
	expect(existsSync(join(folder, "none"))).toBe(false);
});

test("have a path that a socket can have, however long the state's is, and the same each time", () => {
	const long = join(folder, "state".repeat(20), "ssh");
	const made = new Sockets(long).make();
	const around = dirname(made);
	try {
		expect(Buffer.byteLength(join(made, "line.1234567890123456"))).toBeLessThanOrEqual(103);
		expect(statSync(around).mode & 0o777).toBe(0o700);
		expect(dirname(new Sockets(long).make())).toBe(around);
		new Sockets(long).clean();
		expect(readdirSync(around)).toEqual([]);
	} finally {
		rmSync(around, { recursive: true });
	}
});
