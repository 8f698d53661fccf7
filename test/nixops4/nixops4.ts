#!/usr/bin/env node
/**
 * Test equipment: a stand-in for the program `nixops4`, which cannot be built everywhere. It does what the real one does
 * at the commit that specs/nixops4.md names: real evaluation of the root, real provider processes, state, order, failures.
 * Not done: flakes, members that depend on outputs, locks of files. STAND_IN_FLOOD makes it say so many bytes around every span.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Applied, Applying, dumped } from "./applying.ts";
import { Evaluator, type Path } from "./evaluator.ts";
import { Log } from "./log.ts";

const environment = process.env;
const log = new Log(Number(environment["STAND_IN_FLOOD"] ?? 0));
const scratch = mkdtempSync(join(tmpdir(), "nixops4-stand-in-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));

const { words, file } = commandLine(process.argv.slice(2));
try {
	const evaluator = new Evaluator(environment["_NIXOPS4_EVAL"] ?? "nix", file, join(scratch, "known.json"));
	if (words[0] === "apply") await apply(evaluator, words.slice(1).map(pathIn));
	else if (words[0] === "members" && words[1] === "list")
		process.stdout.write(`${(await evaluator.members(pathIn(words[2] ?? ""))).join("\n")}\n`);
	else await dump(evaluator, pathIn(words[2] ?? ""));
} catch (error) {
	log.plain(`nixops4 error: ${(error as Error).message}`);
	process.exit(1);
}

async function apply(evaluator: Evaluator, paths: readonly Path[]): Promise<void> {
	const isMeant = (path: Path) =>
		paths.length === 0 || paths.some((above) => above.every((name, n) => path[n] === name));
	const all = await evaluator.resources();
	for (const path of paths)
		if (all.some((one) => one.path.join(".") === path.join(".")))
			throw new Error(`Expected composite at ${path.join(".")}, but found resource`);
	const meant = all.filter(({ path }) => isMeant(path));
	if (meant.length === 0) return log.plain("Composite contains no resources; nothing to apply.");
	log.plain("The following resources (and nested composites, if any) will be applied:");
	for (const { path } of meant) log.plain(`  - ${path.join(".")}`);
	const applying = new Applying(evaluator, log);
	await applying.apply(isMeant);
	await applying.close();
	report([...applying.done.values()]);
}

/** In clear, whatever it is. */
function report(applied: readonly Applied[]): void {
	log.plain("The following resources were created:");
	for (const { path, inputs, outputs } of applied) {
		log.plain(`  - resource ${path.join(".")}`);
		for (const [name, value] of Object.entries(inputs)) log.plain(`    - input ${name}: ${indented(value)}`);
		for (const [name, value] of Object.entries(outputs)) log.plain(`    - output ${name}: ${indented(value)}`);
	}
}

function indented(value: unknown): string {
	return JSON.stringify(value, null, 2).replaceAll("\n", `\n${" ".repeat(12)}`);
}

async function dump(evaluator: Evaluator, path: Path): Promise<void> {
	const found = (await evaluator.resources()).find((one) => one.path.join(".") === path.join("."));
	if (!found) throw new Error(`Expected resource at ${path.join(".")}`);
	process.stdout.write(`${JSON.stringify(await dumped(found), null, 2)}\n`);
}

function pathIn(text: string): Path {
	return text === "" ? [] : text.split(".");
}

function commandLine(args: readonly string[]) {
	const words: string[] = [];
	let file = resolve("nixops4.nix");
	for (let n = 0; n < args.length; n++) {
		const arg = args[n] as string;
		if (arg === "--file") file = resolve(args[++n] ?? "");
		else if (arg === "--color") n++;
		else if (["--no-interactive", "--interactive", "--show-trace", "--verbose", "-v"].includes(arg)) continue;
		else if (arg.startsWith("-")) usage(`unexpected argument '${arg}' found`);
		else words.push(arg);
	}
	if (words.length === 0) usage("a subcommand is needed");
	if (!/^(apply\b|members list\b|state dump )/.test(words.join(" ")))
		usage(`unrecognized subcommand '${words.join(" ")}'`);
	if (!existsSync(file)) {
		log.plain(`nixops4 error: ${file} does not exist`);
		process.exit(1);
	}
	return { words, file };
}

function usage(text: string): never {
	log.plain(`error: ${text}\n\nUsage: nixops4 [OPTIONS] <COMMAND>`);
	process.exit(2);
}
