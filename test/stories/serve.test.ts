/** `fediversity serve` as systemd or a person starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "./world.ts";

const main = join(import.meta.dirname, "../../node/main.ts");
let folder: string;
let config: string;
const running: ReturnType<typeof spawn>[] = [];

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "serve-"));
	config = join(folder, "node.toml");
	write("web.listen = '127.0.0.1:0'");
});
afterEach(() => {
	for (const child of running.splice(0)) child.kill("SIGKILL");
	rmSync(folder, { recursive: true });
});

function write(more: string) {
	writeFileSync(
		config,
		`provider.name = "West"\nweb.url = "http://west.localhost"\nstate.folder = "state"\nlog.format = "json"\n${more}\n`,
	);
}

function serve(environment: NodeJS.ProcessEnv = {}) {
	const child = spawn(process.execPath, [main, "serve", "--config", config], {
		stdio: ["ignore", "pipe", "pipe"],
		env: { PATH: process.env["PATH"], ...environment },
	});
	running.push(child);
	const run = { child, out: "", err: "", ended: once(child, "close").then(([code]) => code as number) };
	child.stdout.on("data", (chunk) => (run.out += chunk));
	child.stderr.on("data", (chunk) => (run.err += chunk));
	return run;
}

const ready = (run: { err: string }) => eventually("it answers", async () => run.err.includes("answers at"));

test("it logs JSON lines, keeps its secrets to itself, and SIGTERM ends it with 0", async () => {
	const run = serve();
	await ready(run);
	for (const line of run.err.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
	for (const file of ["vault.key", "node.sock"]) expect(statSync(join(folder, "state", file)).mode & 0o077).toBe(0);
	run.child.kill("SIGTERM");
	expect(await run.ended).toBe(0);
	expect(run.out).toBe("");
	expect(existsSync(join(folder, "state/node.sock"))).toBe(false);
});

test("after kill -9 it starts again, over the socket that was left", async () => {
	const first = serve();
	await ready(first);
	first.child.kill("SIGKILL");
	await first.ended;
	const second = serve();
	await ready(second);
});

test("a second one on the same state is refused in words", async () => {
	const first = serve();
	await ready(first);
	const second = serve();
	expect(await second.ended).toBe(1);
	expect(second.err).toMatch(/The node cannot start: .*(running|answers)/);
	expect(second.err).not.toContain("bug");
});

test("a port that is taken is named, and doctor with it", async () => {
	const other = createServer().listen(0, "127.0.0.1");
	await once(other, "listening");
	const { port } = other.address() as AddressInfo;
	write(`web.listen = "127.0.0.1:${port}"`);
	const run = serve();
	expect(await run.ended).toBe(1);
	expect(run.err).toContain(`another program listens on 127.0.0.1:${port}`);
	expect(run.err).toContain("fediversity doctor");
	other.close();
});

test("a state folder whose path is too long for a socket still has an operators' door", async () => {
	write(`web.listen = "127.0.0.1:0"`);
	const long = join(folder, "x".repeat(90));
	mkdirSync(long);
	writeFileSync(config, readFileSync(config, "utf8").replace('"state"', JSON.stringify(join(long, "state"))));
	const run = serve();
	await ready(run);
	const list = spawn(process.execPath, [main, "voucher", "list", "--json", "--config", config]);
	const [out, [code]] = await Promise.all([list.stdout.toArray(), once(list, "exit")]);
	expect([code, Buffer.concat(out).toString()]).toEqual([0, "[]\n"]);
	run.child.kill("SIGTERM");
	expect(await run.ended).toBe(0);
});

test("systemd hears that it is ready, that it lives, and that it stops", async () => {
	const said = join(folder, "said");
	mkdirSync(join(folder, "bin"));
	writeFileSync(join(folder, "bin/systemd-notify"), `#!/bin/sh\necho "$@" >> ${said}\n`);
	chmodSync(join(folder, "bin/systemd-notify"), 0o755);
	const PATH = `${join(folder, "bin")}:${process.env["PATH"]}`;
	const run = serve({ PATH, NOTIFY_SOCKET: join(folder, "notify"), WATCHDOG_USEC: "400000" });
	await eventually("it is ready", async () => existsSync(said));
	await eventually("it lives", async () => readFileSync(said, "utf8").split("WATCHDOG=1").length > 2);
	run.child.kill("SIGTERM");
	expect(await run.ended).toBe(0);
	const lines = readFileSync(said, "utf8").trim().split("\n");
	expect(lines[0]).toBe(`--pid=${run.child.pid} READY=1`);
	expect(lines.some((line) => line.endsWith("STOPPING=1"))).toBe(true);
});
