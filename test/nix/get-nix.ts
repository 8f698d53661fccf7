/** Nix for tests: from the cache, from Debian, or the one that is installed. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../../.cache/nix");

/**
 * Path of a program `nix`, with `nix-instantiate` beside it; null where there is none to be had. The first call in a
 * clean checkout takes about ten seconds; several at once, also from several processes, fetch it once.
 */
export async function nix(): Promise<string | null> {
	const ours = join(folder, "bin/nix");
	if (!existsSync(ours)) await fetched();
	return existsSync(ours) ? ours : installed();
}

async function fetched(): Promise<void> {
	mkdirSync(dirname(folder), { recursive: true });
	const script = join(import.meta.dirname, "get-nix.sh");
	// Whatever is missing for it, the tests are then skipped by name.
	await run("flock", [`${folder}.lock`, "sh", script, folder], { timeout: 120_000 }).catch(() => {});
}

async function installed(): Promise<string | null> {
	const found = await run("sh", ["-c", "command -v nix"]).catch(() => undefined);
	return found?.stdout.trim() || null;
}

/**
 * What a Nix expression is worth, as JSON has it; fails with what Nix says. Where files become part of it, `store` is a
 * folder in which they can be kept.
 */
export async function evaluated<Value>(program: string, expression: string, store = "dummy://"): Promise<Value> {
	const features = ["--extra-experimental-features", "nix-command flakes"];
	const where = ["--offline", "--store", store];
	const how = ["eval", "--impure", "--json", "--expr", expression];
	const { stdout } = await run(program, [...features, ...where, ...how], { maxBuffer: 64 * 1024 * 1024 });
	return JSON.parse(stdout) as Value;
}
