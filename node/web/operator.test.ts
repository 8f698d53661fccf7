import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ask, openPanel, type Panel, signedUp } from "../../test/contracts/panel.ts";
import { openOperatorDoor } from "./operator.ts";

let folder: string;
let socket: string;
let panel: Panel;
const closing: (() => Promise<void> | void)[] = [];

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "operator-"));
	socket = join(folder, "node.sock");
	panel = openPanel();
});
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
	panel.close();
	rmSync(folder, { recursive: true });
});

async function open(metrics: { host: string; port: number } | null = null) {
	const door = await openOperatorDoor({ config: { socket, metrics }, ...panel.operatorParts });
	closing.push(() => door.close());
	return door;
}

function asked(
	path: string,
	where: object = { socketPath: socket },
): Promise<{ status: number | undefined; text: string }> {
	return new Promise((resolve, reject) => {
		request({ ...where, path }, async (answer) => {
			let text = "";
			for await (const piece of answer.setEncoding("utf8")) text += piece;
			resolve({ status: answer.statusCode, text });
		})
			.on("error", reject)
			.end();
	});
}

const freePort = async () => {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
};

test("staff's API, metrics and health are on a socket that only we can use", async () => {
	await open();
	expect(statSync(socket).mode & 0o777).toBe(0o600);
	expect(await asked("/healthz")).toEqual({ status: 200, text: "ok\n" });
	expect((await asked("/api/v1/staff/customers")).text).toBe('{"items":[],"next":null}');
	expect((await asked("/metrics")).status).toBe(200);
	expect((await asked("/api/v1/me")).status).toBe(404);
	expect((await asked("/")).text).toContain("not-found");
});

test("the socket is gone when the node has closed, and can be opened again", async () => {
	await (await open()).close();
	expect(() => statSync(socket)).toThrow("ENOENT");
	await open();
	expect((await asked("/healthz")).status).toBe(200);
});

test("the socket of a node that was killed is taken over", async () => {
	const script = `require("net").createServer().listen(${JSON.stringify(socket)}, () => console.log("there"))`;
	const killed: ChildProcess = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
	if (killed.stdout) await once(killed.stdout, "data");
	await expect(open()).rejects.toThrow("Another node is running");
	killed.kill("SIGKILL");
	await once(killed, "exit");
	expect(statSync(socket).isSocket()).toBe(true);
	await open();
	expect(await asked("/healthz")).toEqual({ status: 200, text: "ok\n" });
});

test("a file that is no socket is left alone", async () => {
	writeFileSync(socket, "precious");
	await expect(open()).rejects.toThrow("not a socket");
	expect(statSync(socket).size).toBe(8);
});

test("a folder that is not there is named", async () => {
	socket = join(folder, "none", "node.sock");
	await expect(open()).rejects.toThrow(socket);
});

test("on an address for Prometheus there are metrics and nothing else", async () => {
	const where = { host: "127.0.0.1", port: await freePort() };
	await open(where);
	await signedUp(panel, "anna@choir.example");
	await ask(panel.app, "GET /me");
	const { text } = await asked("/metrics", where);
	expect(text).toContain('fediversity_http_requests_total{operation="GET /me",status="401"} 1');
	expect(text).toMatch(/fediversity_http_request_seconds_total\{operation="POST \/sign-up",status="201"\} 0\.\d+/);
	expect(text).toContain('fediversity_build_info{version="0.1.0"} 1');
	expect(text).toContain("fediversity_customers 1");
	expect(text).toContain("fediversity_sessions 1");
	expect(text).toContain("process_resident_memory_bytes");
	for (const path of ["/api/v1/staff/customers", "/healthz", "/"]) expect((await asked(path, where)).status).toBe(404);
});

test("numbers move with what they count, and labels come and go", async () => {
	const { db, metrics } = panel;
	const insert = `INSERT INTO job (id, kind, input, state, created_at) VALUES ('j', 'deploy', '{}', 'waiting', $now)`;
	db.run(insert, { now: panel.clock.time - 5000 });
	expect(await metrics.text()).toContain('fediversity_jobs{state="waiting"} 1');
	expect(await metrics.text()).toContain("fediversity_oldest_waiting_job_seconds 5");
	db.run("UPDATE job SET state = 'done'");
	const text = await metrics.text();
	expect(text).toContain('fediversity_jobs{state="done"} 1');
	expect(text).not.toContain('state="waiting"');
	expect(text).toContain("fediversity_oldest_waiting_job_seconds 0");
});

test("a port that is taken is named, and the socket is not left behind", async () => {
	const other = createServer().listen(0, "127.0.0.1");
	await once(other, "listening");
	closing.push(() => void other.close());
	const { port } = other.address() as { port: number };
	await expect(open({ host: "127.0.0.1", port })).rejects.toMatchObject({
		code: "port-taken",
		params: { port: String(port) },
	});
	expect(() => statSync(socket)).toThrow("ENOENT");
});
