import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { getLogger } from "@logtape/logtape";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ask, openPanel, type Panel, signedUp } from "../../test/contracts/panel.ts";
import { implement } from "./implement.ts";
import { configureLog } from "./log.ts";

let panel: Panel;
beforeEach(() => {
	panel = openPanel({
		more(routes) {
			implement(routes, "GET /provider", () => {
				throw new TypeError("the password is hunter2 at /srv/secret/place");
			});
			implement(routes, "GET /jobs", async () => {
				await Promise.resolve();
				getLogger(["fediversity", "jobs"]).info("Looked for jobs");
				throw "not even an error";
			});
			implement(routes, "POST /deployments/{id}/restore", ({ path }) => ({ deployment: path.id, job: "j1" }));
			implement(routes, "POST /jobs/{id}/cancel", ({ path }) => ({ ...job, id: path.id }));
			implement(routes, "POST /staff/jobs/{id}/cancel", ({ path }) => ({ ...job, id: path.id }));
			implement(routes, "POST /me/notice-settings/test", () => {});
			implement(routes, "GET /me/notice-settings", () => ({ mail: true, secret: "x" }) as never);
		},
	});
});
afterEach(() => panel.close());

const job = {
	...{ id: "", kind: "deploy", deployment: "d1", domain: null, state: "running" as const, expectedSeconds: 1 },
	...{ createdAt: "2026-11-22T12:00:00Z", startedAt: null, endedAt: null, canCancel: true, canRetry: false },
};

describe("what breaks on our side", () => {
	test("tells the caller a number and the log the rest", async () => {
		const lines: string[] = [];
		configureLog({ level: "info", format: "json" }, (line) => lines.push(line));
		const answer = await ask(panel.app, "GET /provider");
		const document = await answer.json();
		expect(document).toMatchObject({
			code: "our-fault",
			status: 500,
			params: { id: answer.headers.get("x-request-id") },
		});
		expect(JSON.stringify(document)).not.toMatch(/hunter2|secret|TypeError/);
		expect(lines.join("")).toContain(document.params.id);
		expect(lines.join("")).toContain("TypeError");
	});

	test("is answered too when it is thrown late or is no error; logs of a request bear its number", async () => {
		const lines: string[] = [];
		configureLog({ level: "info", format: "json" }, (line) => lines.push(line));
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const answer = await ask(panel.app, "GET /jobs", { cookie });
		expect(answer.status).toBe(500);
		expect(lines.find((line) => line.includes("Looked for jobs"))).toContain(answer.headers.get("x-request-id"));
	});

	test("an answer the contract does not have is found in tests", async () => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		expect((await ask(panel.app, "GET /me/notice-settings", { cookie })).status).toBe(500);
	});
});

describe("accepted work", () => {
	test.each([
		["POST /deployments/d7/restore", "/api/v1/jobs/j1"],
		["POST /jobs/j9/cancel", "/api/v1/jobs/j9"],
		["POST /me/notice-settings/test", null],
	])("%s says where to watch it: %s", async (name, location) => {
		const { cookie } = await signedUp(panel, "anna@choir.example");
		const answer = await ask(panel.app, name, { cookie });
		expect([answer.status, answer.headers.get("location")]).toEqual([202, location]);
	});

	test("staff watches it at staff's address", async () => {
		const answer = await ask(panel.staff, "POST /staff/jobs/j9/cancel");
		expect([answer.status, answer.headers.get("location")]).toEqual([202, "/api/v1/staff/jobs/j9"]);
	});
});

test("what is not there is not found, and a wrong method is told the right ones", async () => {
	for (const path of ["/nothing", "/me/nothing", "/me/", "", "/openapi.json/"])
		expect(await (await ask(panel.app, `GET ${path}`)).json()).toMatchObject({ code: "not-found" });
	const answer = await ask(panel.app, "PUT /me");
	expect(answer.status).toBe(405);
	expect(answer.headers.get("allow")).toBe("GET, PATCH");
	expect((await ask(panel.app, "POST /openapi.json")).status).toBe(405);
});

test.each([
	"/api/v1/me",
	"/api/v1/nothing",
	"/api/v1/openapi.json",
	"/healthz",
	"/readyz",
	"/.well-known/security.txt",
	"/",
])("%s carries the security headers", async (path) => {
	const { headers } = await panel.app.request(path);
	expect(headers.get("x-content-type-options")).toBe("nosniff");
	expect(headers.get("strict-transport-security")).toBe("max-age=63072000");
	expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
	expect(headers.get("referrer-policy")).toBe("same-origin");
	expect(headers.get("access-control-allow-origin")).toBeNull();
	if (path !== "/") expect(headers.get("cache-control")).toBe("no-store");
	if (path !== "/") expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
});

test("machines learn what they ask for", async () => {
	expect(await (await panel.app.request("/healthz")).text()).toBe("ok\n");
	expect(await (await panel.app.request("/readyz")).text()).toBe("ready\n");
	const change = await panel.app.request("/.well-known/change-password");
	expect([change.status, change.headers.get("location")]).toEqual([302, "/account"]);
	expect(await (await panel.app.request("/.well-known/security.txt")).text()).toMatch(
		/^Contact: https:\/\/north\.example\/help\nExpires: 2027-05-21T12:00:00\.000Z\nCanonical: https:\/\/north\.example\//,
	);
	expect((await panel.app.request("/actor")).status).toBe(503);
});

describe("over a real connection", () => {
	let server: Server;
	let port: number;
	beforeEach(async () => {
		server = createServer(getRequestListener(panel.app.fetch));
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		port = (server.address() as AddressInfo).port;
	});
	afterEach(() => {
		server.closeAllConnections();
		server.close();
	});

	/** What comes back for raw bytes. */
	const said = (...pieces: string[]) =>
		new Promise<string>((resolve, reject) => {
			let text = "";
			const socket = connect(port, "127.0.0.1", () => {
				for (const piece of pieces) socket.write(piece);
			});
			socket.setEncoding("utf8").on("data", (piece) => {
				text += piece;
				if (/\r\n\r\n[\s\S]*\}/.test(text)) socket.destroy();
			});
			socket.on("close", () => resolve(text));
			socket.on("error", (error: NodeJS.ErrnoException) =>
				error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(text) : reject(error),
			);
		});
	const head = "POST /api/v1/sign-in HTTP/1.1\r\nHost: north.example\r\nContent-Type: application/json\r\n";
	const body = JSON.stringify({ email: "x@x.example", password: "wrong password" });

	test("a body with its length is read", async () => {
		expect(await said(`${head}Content-Length: ${body.length}\r\n\r\n${body}`)).toContain("wrong-credentials");
	});

	test("a body in chunks is read", async () => {
		expect(
			await said(`${head}Transfer-Encoding: chunked\r\n\r\n`, `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`),
		).toContain("wrong-credentials");
	});

	test("10 MB announced are refused before they come", async () => {
		expect(await said(`${head}Content-Length: 10000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 [\s\S]*64 KiB/);
	});

	test("10 MB in chunks are refused while they come", async () => {
		const piece = `10000\r\n${"x".repeat(0x10000)}\r\n`;
		expect(await said(`${head}Transfer-Encoding: chunked\r\n\r\n`, piece, piece)).toMatch(/^HTTP\/1.1 413 /);
	});

	test("the cookie goes out, and HEAD has no body", async () => {
		const { email } = await signedUp(panel, "anna@choir.example");
		const right = JSON.stringify({ email, password: "correct horse battery" });
		expect(await said(`${head}Content-Length: ${right.length}\r\n\r\n${right}`)).toMatch(
			/\r\nset-cookie: __Host-session=[\w-]{43};/i,
		);
		const answer = await fetch(`http://127.0.0.1:${port}/api/v1/me`, { method: "HEAD" });
		expect([answer.status, await answer.text()]).toEqual([401, ""]);
	});
});
