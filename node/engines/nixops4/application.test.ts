import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import type { Report } from "../engine.ts";
import { processTable } from "../local/process-table.ts";
import { Application, type ApplicationParts } from "./application.ts";
import type { RunEvent } from "./resources/resource.ts";

const plan = {
	...{ deployment: "d1", domain: "choir.example", mode: "serving" },
	services: { galene: { secrets: ["password"], buckets: {}, records: {}, probe: null } },
} as never as ApplicationParts["plan"];
const secret = (event: "begun" | "done" | "failed", problem?: Problem): RunEvent => ({
	...{ kind: "resource", type: "secret", name: "galene/password", event },
	...(problem && { problem }),
});

let folder: string;
let hear: ((event: RunEvent) => void) | undefined;
let closed: number;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "fediversity-application-"));
	closed = 0;
	hear = undefined;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A run of this shell script in the place of `nixops4`; in it, `wait-for NAME` waits for a file. */
function begun(script: string, more: Partial<ApplicationParts> = {}): Application {
	const program = join(folder, "nixops4");
	writeFileSync(program, `#!/bin/sh\nwait_for() { until [ -e "$1" ]; do sleep 0.02; done; }\n${script}\n`, {
		mode: 0o755,
	});
	const runs: ApplicationParts["runs"] = {
		async open(deployment, domain, heard) {
			expect([deployment, domain]).toEqual(["d1", "choir.example"]);
			hear = heard;
			const close = async () => void closed++;
			return { environment: { FEDIVERSITY_RUN_SOCKET: "S", FEDIVERSITY_RUN_CREDENTIAL_FILE: "F" }, close };
		},
	};
	const environment = { PATH: process.env["PATH"] ?? "" };
	const made = async () => {};
	return new Application({ folder, plan, runs, program, environment, unit: unit(), deadline: 100, made, ...more });
}

const unit = () => `${basename(folder)}/d1/nixops4`;
const left = async () => (await processTable()).filter((one) => one.unit === unit()).map(({ pid }) => pid);
const heard = async (event: RunEvent) => {
	await expect.poll(() => hear, { timeout: 30_000 }).toBeDefined();
	hear?.(event);
};
const go = (name: string) => writeFileSync(join(folder, name), "");

class Listener implements Report {
	readonly lines: string[] = [];
	readonly fractions: (number | null)[] = [];
	readonly ending = new AbortController();
	readonly signal = this.ending.signal;
	progress = (fraction: number | null) => void this.fractions.push(fraction);
	log = (line: string) => void this.lines.push(line);
}

test("runs where its plan is, with its run's environment and mark, and asks nobody anything", async () => {
	const application = begun(
		'echo "$PWD" "$@"; echo "$FEDIVERSITY_RUN_SOCKET $FEDIVERSITY_RUN_CREDENTIAL_FILE $FEDIVERSITY_UNIT home=$HOME" >&2',
	);
	const listener = new Listener();
	await application.until("", listener);
	expect(listener.lines.sort()).toEqual(
		[`S F ${unit()} home=`, `${folder} apply --no-interactive --color never`].sort(),
	);
	expect([application.isOver, closed, application.plan]).toEqual([true, 1, plan]);
});

test("whoever waits for a mark goes on when it is made, and whoever comes late is told all that was said", async () => {
	const application = begun("echo one; wait_for two; echo two; wait_for end");
	const [early, other, late] = [new Listener(), new Listener(), new Listener()];
	let isThere = false;
	const machine = application.until("machine machine", early).then(() => {
		isThere = true;
	});
	const step = application.until("galene done", other);
	await expect.poll(() => early.lines, { timeout: 30_000 }).toEqual(["one"]);
	await heard({ kind: "resource", type: "machine", name: "machine", event: "begun" });
	await new Promise(setImmediate);
	expect(isThere).toBe(false);
	await heard({ kind: "resource", type: "machine", name: "machine", event: "done" });
	await machine;
	await heard({ kind: "step", step: "galene", service: "galene", event: "begun" });
	go("two");
	await expect.poll(() => other.lines, { timeout: 30_000 }).toEqual(["one", "two"]);
	expect([early.lines, application.isOver]).toEqual([["one"], false]);
	await heard({ kind: "step", step: "galene", service: "galene", event: "done" });
	await step;
	await application.until("galene done", late);
	expect(late.lines).toEqual(["one", "two"]);
	const whole = application.until("", other);
	go("end");
	await whole;
	expect([other.lines, application.isOver]).toEqual([["one", "two", "one", "two"], true]);
});

test("tells how far it is, by what is done, and never more than all", async () => {
	const application = begun("wait_for end");
	const listener = new Listener();
	const whole = application.until("", listener);
	// state, machine, and of the service: begun, password, done.
	await heard(secret("begun"));
	await expect.poll(() => listener.fractions.at(-1), { timeout: 30_000 }).toBe(0);
	for (let twice = 0; twice < 2; twice++) await heard(secret("done"));
	await expect.poll(() => listener.fractions.at(-1), { timeout: 30_000 }).toBe(1 / 5);
	for (let n = 0; n < 9; n++) await heard({ kind: "step", step: `${n}`, service: null, event: "begun" });
	await expect.poll(() => listener.fractions.at(-1), { timeout: 30_000 }).toBe(1);
	go("end");
	await whole;
});

test.each([
	[
		"its own last sentence",
		"echo 'nixops4 error: first'; echo 'nixops4 error:  no such file'; echo more",
		"no such file",
	],
	["what a provider said", "echo 'Provider error: no room' >&2", "no room"],
	[
		"that it is the NixOS",
		"echo 'nixops4 error: Failed to create resource system.switch: failed'",
		"its NixOS could not be built, or",
	],
	[
		"how it ended, where it said nothing of it",
		"echo so far so good",
		"nixops4 ended with exit code 3: so far so good",
	],
])("failing, it says %s", async (_, script, reason) => {
	const application = begun(`${script}\nexit 3`);
	await expect(application.ended).rejects.toMatchObject({
		code: "nixops4-failed",
		params: { reason: expect.stringMatching(`^${reason}`) },
	});
	await expect(application.until("", new Listener())).rejects.toMatchObject({ code: "nixops4-failed" });
	expect([application.isOver, closed]).toEqual([true, 1]);
});

test("failing, it says the first thing that this node could not do, as the problem that it is", async () => {
	const application = begun("wait_for end; echo 'nixops4 error: Failed to create resource machine'; exit 1");
	await heard(secret("failed"));
	await heard(secret("failed", new Problem("storage-none")));
	await heard(secret("failed", new Problem("not-found")));
	go("end");
	await expect(application.ended).rejects.toMatchObject({ code: "storage-none" });
});

test("a problem on the way to success is none", async () => {
	const application = begun("wait_for end");
	await heard(secret("failed", new Problem("storage-none")));
	go("end");
	await application.ended;
});

test("keeps so much of what it says and no more, and nothing that looks like a secret", async () => {
	const long = "head -c 9000 /dev/zero | tr '\\\\0' x; echo";
	const application = begun(`echo 'password: hunter2hunter2'; ${long}; seq 1 5000; exit 1`);
	const listener = new Listener();
	await expect(application.until("", listener)).rejects.toBeDefined();
	expect(listener.lines).toHaveLength(2201);
	expect(listener.lines.slice(-201)).toMatchObject({ 0: "(2802 lines are left out here)", 1: "4801", 200: "5000" });
	expect(listener.lines[0]).toBe("password: [hidden]");
	expect(listener.lines[1]).toHaveLength(4000);
});

test("what it starts may set its outputs not to wait: however much is said then, and however busy this node is, nothing fails", async () => {
	const like =
		"fs.writeFileSync('set', ''); try { new net.Socket({ fd: 2 }) } catch {} process.kill(process.pid, 'SIGKILL')";
	const application = begun(`node -e "${like}"; yes a line | head -n 500000 >&2 || exit 9; echo the last`);
	const listener = new Listener();
	const whole = application.until("", listener);
	await expect.poll(() => existsSync(join(folder, "set")), { timeout: 30_000 }).toBe(true);
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
	await whole;
	expect(listener.lines.at(-1)).toBe("the last");
	expect(readdirSync(folder).sort()).toEqual(["nixops4", "set"]);
});

test("does not wait for a NixOps4 whose evaluator has gone", async () => {
	const application = begun("exec sleep 1000", { looking: 0.05 });
	await expect(application.ended).rejects.toMatchObject({
		code: "nixops4-failed",
		params: { reason: expect.stringContaining("its evaluator has gone") },
	});
});

test.each(["", "trap '' TERM; "])(
	"cut off, it leaves no process, also none that has gone its own way (%j)",
	async (trap) => {
		const application = begun(
			`${trap}setsid sleep 1000 & setsid sh -c 'trap "" TERM; sleep 1000' & touch ready; sleep 1000`,
		);
		const waiting = application.until("", new Listener());
		waiting.catch(() => {});
		await expect.poll(async () => (await left()).length, { timeout: 30_000 }).toBeGreaterThanOrEqual(4);
		await application.cutOff();
		expect([await left(), application.isOver, closed]).toEqual([[], true, 1]);
		await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
		await application.cutOff();
	},
	60_000,
);

test.each([" >/dev/null 2>&1", ""])(
	"ending by itself it leaves none either, and waits for none (%j)",
	async (where) => {
		const application = begun(`setsid sleep 1000${where} & exit 0`);
		await application.ended;
		expect(await left()).toEqual([]);
	},
);

test("has a deadline", async () => {
	const application = begun("sleep 1000", { deadline: 0.2 });
	await expect(application.ended).rejects.toMatchObject({ code: "took-too-long", params: { seconds: "0.2" } });
	expect(await left()).toEqual([]);
});

test("says what to do where there is no nixops4", async () => {
	const application = begun("", { program: join(folder, "none") });
	await expect(application.ended).rejects.toMatchObject({ code: "program-missing", params: { program: "nixops4" } });
	expect(closed).toBe(1);
});

test("who is called off waits no more, and the run goes on", async () => {
	const application = begun("wait_for end");
	const listener = new Listener();
	const waiting = application.until("", listener);
	listener.ending.abort(new Problem("job-hangs"));
	await expect(waiting).rejects.toMatchObject({ code: "job-hangs" });
	expect(application.isOver).toBe(false);
	go("end");
	await application.ended;
});
