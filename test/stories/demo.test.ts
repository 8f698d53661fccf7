/** `npm start` as a person at a terminal has it: through the way in, with Ctrl-C to the whole group. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DemoState } from "../../node/demo/state.ts";
import { processTable } from "../../node/engines/local/process-table.ts";
import { reach } from "./reach.ts";
import { eventually } from "./world.ts";

const root = join(import.meta.dirname, "../..");
const boot = join(root, "node/boot.mjs");

let folder: string;
const started: ChildProcess[] = [];

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "demo-story-"));
});
afterEach(async () => {
	for (const child of started.splice(0))
		if (child.exitCode === null && child.signalCode === null) await pressCtrlC(child);
	expect(await ours()).toEqual([]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a process group of its own, as a shell starts it. */
function start(...args: string[]) {
	const child = spawn(process.execPath, [boot, ...args], {
		cwd: root,
		detached: true,
		stdio: ["ignore", "pipe", "pipe"],
	});
	started.push(child);
	const run = { child, text: "", ended: once(child, "close").then(([code]) => code as number) };
	const hear = (chunk: Buffer) => {
		run.text += chunk;
	};
	child.stdout.on("data", hear);
	child.stderr.on("data", hear);
	return run;
}

async function open(...flags: string[]) {
	const run = start("demo", "--state", folder, ...flags);
	await Promise.race([
		eventually("the demo is open", async () => run.text.includes("Ctrl-C stops everything.")),
		run.ended.then((code) => Promise.reject(new Error(`It ended with ${code}:\n${run.text}`))),
	]);
	const port = Number(/http:\/\/localhost:(\d+)\//.exec(run.text)?.[1]);
	return {
		...run,
		port,
		get text() {
			return run.text;
		},
	};
}

/** A terminal sends the signal to everybody in the group at once. */
async function pressCtrlC(child: ChildProcess) {
	const closed = once(child, "close");
	process.kill(-(child.pid ?? 0), "SIGINT");
	await closed;
}

async function ours() {
	const { id } = new DemoState(folder);
	return (await processTable()).filter(({ unit }) => unit?.startsWith(`${id}/`));
}

const cli = async (...args: string[]) => {
	const run = start(...args, "--config", join(folder, "north/node.toml"));
	return { code: await run.ended, text: run.text };
};

test("it prints where everything is, everything is there, and Ctrl-C ends it quietly and for certain", async () => {
	const demo = await open("--port", "18900");
	const { port } = demo;
	const page = await (await reach(`http://localhost:${port}/`)).text();
	const vouchers = ["north", "south"].map(
		(provider) => new RegExp(`${provider}-[0-9A-Z-]+`).exec(demo.text)?.[0] ?? "?",
	);
	for (const shown of [...vouchers, `http://north.localhost:${port}/`, `http://mail.localhost:${port}/`])
		expect(page).toContain(shown);
	for (const [host, name] of [
		["north", "North"],
		["south", "South"],
	]) {
		const answer = await reach(`http://${host}.localhost:${port}/api/v1/provider`);
		expect(await answer.json()).toMatchObject({ name, demo: true, zones: ["localhost"] });
		const panel = await reach(`http://${host}.localhost:${port}/`, { headers: { accept: "text/html" } });
		expect(await panel.text()).toContain("<script");
	}
	expect((await reach(`http://mail.localhost:${port}/`)).status).toBe(200);
	expect((await ours()).length).toBe(2);

	await pressCtrlC(demo.child);
	expect(await demo.ended).toBe(0);
	expect(demo.text).toMatch(
		/Stopping both nodes and their services …\nStopped\. The next start goes on from here\.\n$/,
	);
	expect(demo.text).not.toMatch(/warning|deprecat|bug|at once/i);
	expect(await ours()).toEqual([]);
});

test("the next start has the same port and the same unused vouchers; a second one beside it says so", async () => {
	const demo = await open();
	const second = start("demo", "--state", folder);
	expect(await second.ended).toBe(1);
	expect(second.text).toContain(`running already: http://localhost:${demo.port}/`);
	const voucher = /north-[0-9A-Z-]+/.exec(demo.text)?.[0];
	await pressCtrlC(demo.child);
	const again = await open();
	expect(again.port).toBe(demo.port);
	expect(again.text).toContain(voucher);
});

test("the command line speaks to a node of it", async () => {
	await open();
	const made = await cli("voucher", "create", "--services", "snac", "--note", "by hand");
	expect(made).toMatchObject({ code: 0, text: expect.stringMatching(/^north-[0-9A-Z-]+\n/) });
	expect((await cli("voucher", "list")).text).toMatch(/by hand/);
	expect(await cli("voucher", "create", "--services", "nonsense")).toMatchObject({ code: 1 });
	expect(await cli("customer", "list", "--json")).toEqual({ code: 0, text: "[]\n" });
	expect(await cli("job", "list")).toEqual({ code: 0, text: "There are none yet.\n" });
	const { items } = JSON.parse((await cli("doctor", "--json")).text);
	const states = Object.fromEntries(items.map(({ check, state }: { check: string; state: string }) => [check, state]));
	expect(states).toMatchObject({ running: "good", zone: "good", mail: "good", "state-folder": "good" });
});

test("kill -9 of everything leaves nothing after the next start and stop", async () => {
	const demo = await open();
	const victims = await ours();
	process.kill(-(demo.child.pid ?? 0), "SIGKILL");
	for (const { pid } of victims) process.kill(pid, "SIGKILL");
	await demo.ended;
	const again = await open();
	expect((await ours()).length).toBe(2);
	await pressCtrlC(again.child);
	expect(await ours()).toEqual([]);
});

test("kill -9 of the supervisor alone: its nodes stop by themselves", async () => {
	const demo = await open();
	process.kill(-(demo.child.pid ?? 0), "SIGKILL");
	await demo.ended;
	await eventually("both nodes have stopped", async () => (await ours()).length === 0);
});

test("a second Ctrl-C does not wait", async () => {
	const demo = await open();
	const [north] = await ours();
	// A node that cannot react: frozen.
	process.kill(north?.pid ?? 0, "SIGSTOP");
	process.kill(-(demo.child.pid ?? 0), "SIGINT");
	await eventually("it has begun to stop", async () => demo.text.includes("Stopping both nodes"));
	// More than one second later, since one key press can arrive more than once.
	await new Promise((resolve) => setTimeout(resolve, 1200));
	await pressCtrlC(demo.child);
	expect(await demo.ended).toBe(130);
	expect(demo.text).toContain("Ending everything at once");
	await eventually("nothing is left", async () => (await ours()).length === 0);
});

test("--fresh ends a demo that runs in another window and erases what it kept", async () => {
	const demo = await open();
	const voucher = /north-[0-9A-Z-]+/.exec(demo.text)?.[0] ?? "?";
	const again = await open("--fresh", "--port", "18950");
	expect(await demo.ended).toBe(0);
	expect(again.text).not.toContain(voucher);
	expect(again.port).toBeGreaterThanOrEqual(18950);
	expect(existsSync(join(folder, "north/node.toml"))).toBe(true);
});
