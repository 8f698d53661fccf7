/** The stand-in itself: its ways to fail are those of the real one, which passes the same tests, or tests with it prove nothing. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { nix } from "../nix/get-nix.ts";
import { nixops4 as command, environmentFor, named, side } from "./program.ts";

const program = await nix();
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "fediversity-stand-in-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A root of these members, with a provider that answers each line by this shell. */
function root(
	members: string,
	answer = `echo '{"createResourceResponse":{"outputProperties":{"step":"done"}}}'`,
): string {
	const shell = join(folder, "provider");
	writeFileSync(shell, `#!/bin/sh\nwhile read -r line; do echo "$line" >>${join(folder, "asked")}; ${answer}; done\n`);
	chmodSync(shell, 0o755);
	const file = join(folder, "root.nix");
	const provider = `import ${join(here, "../../nix/nixops4/provider.nix")} { inherit (s) lib; executable = "${shell}"; args = [ ]; }`;
	writeFileSync(
		file,
		`let s = ${side}; step = provider: step: { type = provider.progress; inputs = { inherit step; event = "done"; }; };
		in s.mkRoot { modules = [ ({ providers, members, ... }: let node = providers.node; in { providers.node = ${provider}; members = { ${members} }; }) ]; }`,
	);
	writeFileSync(join(folder, "asked"), "");
	return file;
}

async function nixops4(...args: string[]) {
	const child = spawn(command, args, {
		cwd: folder,
		env: { ...process.env, ...environmentFor(program ?? "") },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let errors = "";
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		errors += text;
	});
	const [code] = await once(child, "close");
	return { code, errors };
}

const asked = () => readFileSync(join(folder, "asked"), "utf8").trim().split("\n").filter(Boolean);

describe.skipIf(program === null)(`${named} (needs Nix)`, { timeout: 60_000 }, () => {
	test.each<[string, number, string[], string]>([
		["an option nobody knows", 2, ["apply", "--json"], "unexpected argument '--json'"],
		["no command", 2, [], "Usage: nixops4"],
		["a command that NixOps4 does not have", 2, ["destroy"], "unrecognized subcommand 'destroy'"],
		["no nixops4.nix", 1, ["apply"], "nixops4 error: "],
	])("%s ends with %i", async (_, code, args, words) => {
		expect(await nixops4(...args)).toEqual({ code, errors: expect.stringContaining(words) });
	});

	test.each<[string, string, string]>([
		["ends without an answer", "exit 0", "Provider process did not return any output"],
		["fails", "exit 3", "Provider process failed with exit code: exit status: 3"],
		["says something else", "echo hello", "expected value at line 1 column 1"],
		[
			"answers another question",
			`echo '{"updateResourceResponse":{"outputProperties":{}}}'`,
			"Expected CreateResourceResponse from provider but got: ",
		],
		["says no", `echo '{"errorResponse":{"message":"no room"}}'`, "Failed to create stateless resource a: no room"],
	])("a provider that %s", async (_, answer, words) => {
		const { code, errors } = await nixops4("apply", "--file", root(`a = step node "a";`, answer));
		expect([code, errors]).toEqual([1, expect.stringContaining(words)]);
		expect(errors).toContain("nixops4 error: ");
	});

	test("a provider that is not there", async () => {
		const file = root(`a = step node "a";`);
		writeFileSync(file, readFileSync(file, "utf8").replace(`${folder}/provider`, "/nowhere/provider"));
		expect((await nixops4("apply", "--file", file)).errors).toContain(
			"Could not spawn provider process /nowhere/provider",
		);
	});

	test("what fails is told when others beside it have ended, and what needs it is not begun", async () => {
		const bad = `case "$line" in *bad*) echo '{"errorResponse":{"message":"no"}}';; *) sleep 0.3; echo '{"createResourceResponse":{"outputProperties":{"step":"x"}}}';; esac`;
		const members = `a = step node "good"; b = step node "bad"; c = step node "bad"; d = step node "after-\${members.b.outputs.step}";`;
		const { code, errors } = await nixops4("apply", "--file", root(members, bad));
		expect(code).toBe(1);
		expect(errors).toMatch(/Applying resource\{resource=ComponentPath\(\["a"\]\)\}: nixops4::work: close/);
		expect(errors).toMatch(/nixops4 error: Failed to create stateless resource [bc]: no/);
		expect(asked().filter((line) => line.includes("after-"))).toEqual([]);
	});

	test("a circle, an output that was not given and a wrong expression are found", async () => {
		const circle = `a = step node members.b.outputs.step; b = step node members.a.outputs.step;`;
		expect((await nixops4("apply", "--file", root(circle))).errors).toContain("Cycle detected: ");
		const given = `echo '{"createResourceResponse":{"outputProperties":{}}}'`;
		const needs = `a = step node "a"; b = step node members.a.outputs.step;`;
		expect((await nixops4("apply", "--file", root(needs, given))).errors).toContain(
			"Resource a does not have output step",
		);
		expect((await nixops4("apply", "--file", root(`a = step node (throw "not so");`))).errors).toContain("not so");
	});

	test("a part is applied with whatever it depends on, and nothing else", async () => {
		const members = `a = step node "a"; b = step node "b"; part.members.c = step node "c-\${members.a.outputs.step}";`;
		const { code } = await nixops4("apply", "part", "--file", root(members));
		expect(code).toBe(0);
		expect(asked().map((line) => JSON.parse(line).createResourceRequest.inputProperties.step)).toEqual(["a", "c-done"]);
		expect((await nixops4("apply", "a", "--file", root(members))).errors).toContain(
			"Expected composite at a, but found resource",
		);
	});
});
