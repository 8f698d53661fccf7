/** What holds for every file written in Nix. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { nix } from "./get-nix.ts";

const root = join(import.meta.dirname, "../..");
const files = ["nix", "test/nix", "test/nixops4"].flatMap((folder) =>
	readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".nix"))
		.map((file) => join(folder, file)),
);
const read = (file: string) => readFileSync(join(root, file), "utf8");
const program = await nix();

test("there are some", () => {
	expect(files.length).toBeGreaterThan(20);
});

/** No formatter of Nix is to be had wherever tests run; these are its rules that a person would miss. */
describe.each(files)("%s", (file) => {
	test("is written in one way: two spaces, short lines, a line's end at its end", () => {
		const lines = read(file).split("\n");
		expect(lines.pop()).toBe("");
		expect(lines.filter((line) => /\t|\s$/.test(line) || line.length > 140)).toEqual([]);
		expect(lines.filter((line) => (/^ */.exec(line)?.[0].length ?? 0) % 2 === 1)).toEqual([]);
		expect(lines.filter((line) => /^\s*with [\w.]+;/.test(line))).toEqual([]);
	});

	test("takes nothing from the machine that evaluates it, nor from an address without a hash", () => {
		const code = read(file).replaceAll(/#.*$/gm, "");
		expect(code).not.toMatch(/<nixpkgs>|builtins\.(getEnv|currentSystem|fetchTarball|fetchurl|exec)\b/);
	});
});

describe.skipIf(program === null)("with Nix (needs Nix, which Debian's apt brings)", { timeout: 120_000 }, () => {
	test("every file can be read as Nix", () => {
		const instantiate = join(dirname(program ?? ""), "nix-instantiate");
		const all = files.map((file) => join(root, file));
		execFileSync(instantiate, ["--store", "dummy://", "--parse", ...all], {
			stdio: "pipe",
			maxBuffer: 64 * 1024 * 1024,
		});
	});
});
