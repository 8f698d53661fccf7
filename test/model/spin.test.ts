/** The migration's second model, in the language of the model checker spin, checked by it. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const model = join(import.meta.dirname, "../../specs/model/migration.pml");
const run = promisify(execFile);
const hasSpin = existsSync("/usr/bin/spin") && existsSync("/usr/bin/gcc");
const minutes = 60_000;

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "fediversity-spin-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Small worlds suffice to find the harm in a bad variant, except where it takes two rounds or a backup. */
const needs: Readonly<Record<string, string[]>> = {
	UNBOUND: ["-DROUNDS=2", "-DRESTORES=false"],
	TRUSTING: ["-DROUNDS=1"],
	LOOKING: ["-DROUNDS=1"],
	EARLY: ["-DROUNDS=1"],
	RESTLESS: ["-DROUNDS=4", "-DRESTORES=false"],
	GUESSING: ["-DROUNDS=1", "-DRESTORES=false", "-DBACKUPS"],
	DEAF: ["-DROUNDS=1", "-DRESTORES=false", "-DBACKUPS"],
	SOONER: ["-DROUNDS=1", "-DRESTORES=false", "-DBACKUPS"],
};
const small = ["-DROUNDS=1", "-DRESTORES=false"];
const text = readFileSync(model, "utf8");
const variants = [...text.matchAll(/^ \* {3}(\w+) +([A-Z]+) {2,}(.+)$/gm)].map(
	([, claim = "", name = "", what = ""]) => ({
		claim,
		name,
		what,
	}),
);

test("every way to get it wrong is told in the model", () => {
	const used = new Set([...text.matchAll(/(?:#ifn?def |#elif defined\(|defined\()(\w+)/g)].map(([, name]) => name));
	expect(variants.map(({ name }) => name).sort()).toEqual(
		[...used].filter((name = "") => !["ROUNDS", "RESTORES", "BACKUPS"].includes(name)).sort(),
	);
});

describe.skipIf(!hasSpin)("spin (needs the Debian packages spin and gcc)", () => {
	test.each([
		["safe", "two rounds and a backup", []],
		["alive", "two rounds", ["-DRESTORES=false"]],
		["alive", "a round and a backup", ["-DROUNDS=1"]],
		["safe", "a round and either node back", ["-DROUNDS=1", "-DRESTORES=false", "-DBACKUPS"]],
		["alive", "a round and either node back", ["-DROUNDS=1", "-DRESTORES=false", "-DBACKUPS"]],
	] as const)("finds nothing against %s with %s", { timeout: 5 * minutes }, async (claim, _with, defines) => {
		const check = await checker("good", defines, "-O2");
		const said = await check(claim);
		console.info(/\d+ states, stored/.exec(said)?.[0]);
		expect(said).toContain("errors: 0");
		expect(said).not.toContain("max search depth too small");
	});

	test.each(variants)("finds against $claim: $what", { timeout: 5 * minutes }, async ({ claim, name }) => {
		const check = await checker(name, [`-D${name}`, ...(needs[name] ?? small)], "-O0");
		expect(await check(claim)).toContain("errors: 1");
	});
});

const compiled = new Map<string, ReturnType<typeof compile>>();

/** Compiles the model, once for the same; what comes out says what it found about a claim. */
function checker(...how: Parameters<typeof compile>): ReturnType<typeof compile> {
	const key = JSON.stringify(how);
	const known = compiled.get(key) ?? compile(...how);
	compiled.set(key, known);
	return known;
}

async function compile(name: string, defines: readonly string[], optimise: string) {
	const cwd = await mkdtemp(join(folder, `${name}-`));
	await run("/usr/bin/spin", ["-a", ...defines, model], { cwd });
	await run("/usr/bin/gcc", ["-w", optimise, "-DCOLLAPSE", "-o", "pan", "pan.c"], { cwd });
	return async (claim: string) => (await run("./pan", ["-a", "-n", "-m10000", "-N", claim], { cwd })).stdout;
}
