/** What the engine remembers of its runs, also of those that nobody waits for any more. Whole ones are in test/nixops4. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Plan, Report, Stage } from "../engine.ts";
import { Nixops4Engine } from "./nixops4-engine.ts";

const key = (letter: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`;
const owner = { username: "ada", email: "ada@choir.example" };
const galene = { name: "galene", hosts: ["meet.choir.example"], origin: "https://meet.choir.example", owner };
const plan: Plan = { deployment: "d1", domain: "choir.example", mode: "serving", services: [galene] };

let folder: string;
let engines: Nixops4Engine[];
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "fediversity-engine-"));
	engines = [];
	go("1");
});
afterEach(async () => {
	for (const engine of engines) await engine.close();
	rmSync(folder, { recursive: true, force: true });
});

const go = (generation: string) => writeFileSync(join(folder, `go-${generation}`), "");
const at = (file: string) => join(folder, "d1", file);
const runs = () => (existsSync(at("plan.json")) ? JSON.parse(readFileSync(at("plan.json"), "utf8")).generation : 0);
const backend = (engine: Nixops4Engine) => engine.backend("meet.choir.example")?.kind;

/** As a node that has just started has it: each run in it ends when a file of its number is there. */
function engine({
	keys = [],
	node = "node",
	system = "x86_64-linux",
}: {
	keys?: string[];
	node?: string;
	system?: string;
} = {}) {
	const program = join(folder, "nixops4");
	const waits = `n=$(grep -o '"generation": [0-9]*' plan.json | grep -o '[0-9]*'); until [ -e ../go-$n ]; do sleep 0.02; done`;
	writeFileSync(program, `#!/bin/sh\n${waits}\n`, { mode: 0o755 });
	const machine = { id: "m1", address: "10.0.0.21", publicAddress: "192.0.2.7", port: 22 };
	const made = new Nixops4Engine({
		...{ nodeId: `test-${folder}`, folder, program, root: folder, webPort: 80, deadline: 100, readySeconds: 1 },
		site: { provider: { executable: node, args: [] }, identityFile: node, system, customerKeys: () => keys },
		publicKey: async () => `${key("N")} node`,
		environment: { PATH: process.env["PATH"] },
		workings: async () => ({
			runs: { open: async () => ({ environment: {}, close: async () => {} }), close: async () => {} },
		}),
		machines: {
			of: () => machine,
			agent: () => ({ thaw: async () => {}, freeze: async () => {} }),
			close: async () => {},
		},
	} as never);
	engines.push(made);
	return made;
}

function report(ending = new AbortController()): Report & { ending: AbortController } {
	return { ending, signal: ending.signal, progress() {}, log() {} };
}

/** The stage that is a run of NixOps4. */
function run(stages: readonly Stage[], ...told: Report[]): Promise<void> {
	return (stages.find(({ name }) => name === "system" || name === "again") as Stage).run(told[0] ?? report());
}

/** Begins to set up again, and calls it off while the run is under way. */
async function calledOff(one: Nixops4Engine): Promise<void> {
	const told = report();
	const before = runs();
	const repairing = expect(run(one.repair(plan), told)).rejects.toThrow("called off");
	await expect.poll(runs, { timeout: 30_000 }).toBe(before + 1);
	told.ending.abort(new Error("called off"));
	await repairing;
}

test("a run that was called off goes on, and what it made true is remembered", async () => {
	const keys: string[] = [];
	const one = engine({ keys });
	await run(one.stages(plan));
	expect(JSON.parse(readFileSync(at("plan.json"), "utf8")).ssh).toEqual({ identityFile: "node", publicKey: key("N") });
	keys.push(key("A"));
	await calledOff(one);
	expect([backend(one), one.signIn(plan)]).toMatchObject(["up", { keys: 0, current: false }]);
	go("2");
	await expect.poll(() => one.signIn(plan), { timeout: 30_000 }).toMatchObject({ keys: 1, current: true });
	expect(one.signIn(plan)).toMatchObject({ address: "192.0.2.7", port: 22 });
	await run(one.stages(plan));
	expect(runs()).toBe(2);
});

test("setting up again goes along with a run that was called off, unless that brings other keys", async () => {
	const keys: string[] = [];
	const one = engine({ keys });
	await run(one.stages(plan));
	await calledOff(one);
	const along = run(one.repair(plan));
	go("2");
	await along;
	expect(runs()).toBe(2);
	await calledOff(one);
	keys.push(key("A"));
	const another = run(one.repair(plan));
	for (const generation of ["3", "4"]) go(generation);
	await another;
	expect([runs(), one.signIn(plan)]).toMatchObject([4, { keys: 1, current: true }]);
});

test("what was true serves on while a run is on its way to another plan, also for a node that was killed in it, and that run is made up for", async () => {
	const before = engine();
	await before.recover([plan]);
	expect(backend(before)).toBe("starting");
	await run(before.stages(plan));
	expect(backend(before)).toBe("up");
	await before.close();
	// Such as one whose services need more by now.
	await calledOff(engine({ system: "aarch64-linux" }));
	await engines[1]?.close();
	const after = engine();
	await after.recover([plan]);
	expect(backend(after)).toBe("up");
	go("3");
	await run(after.stages(plan));
	expect(runs()).toBe(3);
	await run(after.stages(plan));
	expect(runs()).toBe(3);
});

test("a node that was installed anew wakes what rests without a run", async () => {
	const before = engine();
	await run(before.stages(plan));
	await before.apply({ ...plan, mode: "frozen" }, report());
	await before.close();
	const after = engine({ node: "another-node" });
	await after.recover([plan]);
	expect(backend(after)).toBe("frozen");
	await run(after.stages(plan));
	expect([runs(), backend(after)]).toEqual([1, "up"]);
});
