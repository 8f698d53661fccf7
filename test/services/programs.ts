/**
 * Services that take long to build: each is built once, into the tests' cache, where the local engine looks for it.
 * What is on the search path already is not built. Without the tools to build one, its tests are skipped.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cache } from "../contracts/tiny/world.ts";

interface Built {
	readonly name: string;
	readonly version: string;
	/** The tool that builds it. */
	readonly tool: string;
	readonly minutes: number;
	/** Fills the folder; the program lies in it under its own name in the end. */
	build(folder: string): void;
}

const pinned = join(import.meta.dirname, "gotosocial");
const acme = join(import.meta.dirname, "pebble");
const gotosocial = "github.com/superseriousbusiness/gotosocial";

const programs: readonly Built[] = [
	{
		name: "gotosocial",
		version: /gotosocial v(\S+)/.exec(readFileSync(join(pinned, "go.mod"), "utf8"))?.[1] ?? "",
		tool: "go",
		minutes: 10,
		build(folder) {
			const flags = ["-ldflags", `-s -w -X main.Version=${this.version}`, "-o", join(folder, this.name)];
			run("go", ["-C", pinned, "build", ...flags, `${gotosocial}/cmd/gotosocial`], folder);
			// Its pages are no part of the program; they lie where Go has put its source.
			const source = run("go", ["-C", pinned, "list", "-m", "-f", "{{.Dir}}", gotosocial], folder, "pipe").trim();
			cpSync(join(source, "web"), join(folder, "web"), { recursive: true });
			// Go keeps it read-only, and who cleans up later must be able to.
			run("chmod", ["-R", "u+w", join(folder, "web")], folder);
		},
	},
	{
		// Not a service: a certificate authority for tests, whose sums stand in its go.sum.
		name: "pebble",
		version: /pebble\/v2 v(\S+)/.exec(readFileSync(join(acme, "go.mod"), "utf8"))?.[1] ?? "",
		tool: "go",
		minutes: 1,
		build(folder) {
			const source = "github.com/letsencrypt/pebble/v2/cmd/pebble";
			run("go", ["-C", acme, "build", "-ldflags", "-s -w", "-o", join(folder, this.name), source], folder);
		},
	},
	{
		name: "garage",
		version: "2.5.0",
		tool: "cargo",
		minutes: 30,
		build(folder) {
			// Kept beside, so that a build that was cut off goes on where it was.
			const target = join(cache, ".garage-build");
			const args = [
				"install",
				this.name,
				"--version",
				this.version,
				"--locked",
				"--root",
				folder,
				"--target-dir",
				target,
			];
			run("cargo", args, folder);
			renameSync(join(folder, "bin", this.name), join(folder, this.name));
			rmSync(target, { recursive: true, force: true });
		},
	},
];

/** Builds what is missing; Vitest calls it once before these tests. */
export default function provide(): void {
	provideBuilt(programs.map(({ name }) => name));
}

/** Builds those of these that are missing, and says so; what cannot be built is said too. */
export function provideBuilt(names: readonly string[]): void {
	mkdirSync(cache, { recursive: true });
	for (const program of programs.filter((one) => names.includes(one.name) && !isThere(one)))
		if (onPath(program.tool)) get(program);
		else console.error(`Not built: ${program.name}, since ${program.tool} is not here; its tests are skipped`);
}

function get(program: Built): void {
	const { name, version, minutes } = program;
	console.error(`Building ${name} ${version} once, about ${minutes === 1 ? "a minute" : `${minutes} minutes`} …`);
	const scratch = join(cache, `.building-${name}-${process.pid}`);
	mkdirSync(scratch, { recursive: true });
	try {
		program.build(scratch);
		writeFileSync(join(scratch, "version"), version);
		rmSync(join(cache, name), { recursive: true, force: true });
		renameSync(scratch, join(cache, name));
	} catch (error) {
		console.error(`${name} could not be built: ${(error as Error).message}; its tests are skipped`);
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

function isThere({ name, version }: Built): boolean {
	const mark = join(cache, name, "version");
	return existsSync(mark) ? readFileSync(mark, "utf8") === version : onPath(name);
}

function onPath(program: string): boolean {
	return spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0;
}

function run(program: string, args: readonly string[], folder: string, output: "inherit" | "pipe" = "inherit"): string {
	const { status, stdout, error } = spawnSync(program, args, {
		cwd: folder,
		stdio: ["ignore", output, "inherit"],
		encoding: "utf8",
	});
	if (error) throw error;
	if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}`);
	return stdout ?? "";
}
