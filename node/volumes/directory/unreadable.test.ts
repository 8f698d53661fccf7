/** What the node may not read, seen by a program of its own: the tests may run as root, who reads everything. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "directory-"));
	mkdirSync(at("from"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const program = `
	const [, code, from, scratch] = process.argv;
	const { DirectorySource } = await import(code);
	const entries = [];
	try {
		const source = new DirectorySource(from, scratch);
		for await (const batch of source.list({ frozen: false, signal: new AbortController().signal }))
			entries.push(...batch.map(({ path }) => path));
		console.log(JSON.stringify({ entries }));
	} catch ({ code, params }) {
		console.log(JSON.stringify({ code, path: params?.path }));
	}`;

/** How listing ends without any of root's powers; root's own files are still its own. */
function listed(): unknown {
	const isRoot = process.getuid?.() === 0;
	const powerless = isRoot ? ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"] : [];
	const node = [process.execPath, "--input-type=module", "--eval", program, "--"];
	const [first = "", ...args] = [...powerless, ...node, join(import.meta.dirname, "source.ts"), at("from"), at("s")];
	const { stdout, stderr } = spawnSync(first, args, { encoding: "utf8" });
	if (stdout === "") throw new Error(stderr);
	return JSON.parse(stdout);
}

test("what the node may not read is named, and the rest is no reason to go on without it", () => {
	for (const name of ["open", "private"]) writeFileSync(at("from", name), "x");
	expect(listed()).toEqual({ entries: ["open", "private"] });
	chmodSync(at("from", "private"), 0);
	expect(listed()).toEqual({ code: "volume-unfit", path: "private" });
});
