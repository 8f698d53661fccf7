import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { afterwards, ask, eventually, Line, listening, settled } from "../../test/loopback.ts";
import type { Destination } from "./destination.ts";
import { Gateway } from "./gateway.ts";
import type { Limits } from "./limits.ts";

const about = { provider: "North", panel: "https://north.example/" };

async function open(destination: Destination, limits: Partial<Limits> = {}) {
	const gateway = new Gateway({ find: () => destination, panel: () => {}, about, trustProxy: false, limits });
	const at = await gateway.listen({ host: "127.0.0.1", port: 0 });
	afterwards(() => gateway.close(0));
	return { gateway, at };
}

interface Visit {
	readonly request: IncomingMessage;
	readonly socket: Socket;
	readonly early: Buffer;
}

/** A service that shakes hands and leaves the rest to the test; and a gateway before it. */
async function before(limits?: Partial<Limits>, shake = switching) {
	const visits: Visit[] = [];
	const server = createServer((request, response) => response.end(`plain ${request.headers.upgrade}`));
	server.on("upgrade", (request, socket, early) => {
		visits.push({ request, socket: socket as Socket, early });
		socket.on("error", () => {}).write(shake(request), "latin1");
	});
	const port = await listening(server);
	return { visits, ...(await open({ kind: "service", port }, limits)) };
}

/** RFC 6455, 4.2.2. */
function switching({ headers }: IncomingMessage): string {
	const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
	return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Name: \xc3\xa9\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`;
}

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const knock = `GET /chat?a=b HTTP/1.1\r\nHost: Chat.Example\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n${key}\r\n`;

/** Answers each short frame of a client with the same words. */
function echo(socket: Socket): void {
	socket.on("data", (frame: Buffer) => {
		const size = (frame[1] ?? 0) & 127;
		const words = frame.subarray(6, 6 + size).map((byte, at) => byte ^ (frame[2 + (at % 4)] ?? 0));
		socket.write(Buffer.concat([Buffer.from([frame[0] ?? 0, size]), words]));
	});
}

test("100 WebSockets at once say something and hear it again", async () => {
	const { visits, at, gateway } = await before();
	const sockets = Array.from({ length: 100 }, () => new WebSocket(`ws://127.0.0.1:${at}/`));
	const next = (event: string) => sockets.map((socket) => once(socket, event));
	await Promise.all(next("open"));
	for (const { socket } of visits) echo(socket);
	const heard = next("message").map(async (message) => ((await message)[0] as MessageEvent).data);
	for (const [number, socket] of sockets.entries()) socket.send(`I am ${number}`);
	expect(await Promise.all(heard)).toEqual(sockets.map((_, number) => `I am ${number}`));
	expect(gateway.open.webSockets).toBe(100);
	for (const { socket } of visits) socket.destroy();
	await eventually(() => gateway.open.webSockets === 0);
});

test("a handshake arrives as it was sent, with the truth about the client", async () => {
	const { visits, at } = await before();
	const line = new Line(at, knock.replace("Sec-", "X-Forwarded-For: 192.0.2.1\r\nTE: x\r\nSec-"));
	const answer = await line.until((text) => text.includes("\r\n\r\n"));
	expect(answer).toMatch(/^HTTP\/1.1 101 .*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/is);
	expect(answer).toMatch(/^X-Name: \xc3\xa9\r$/im);
	expect(visits[0]?.request.url).toBe("/chat?a=b");
	expect(visits[0]?.request.headers).toEqual({
		host: "Chat.Example",
		upgrade: "websocket",
		connection: "Upgrade",
		"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
		"sec-websocket-version": "13",
		"x-forwarded-for": "127.0.0.1",
		"x-forwarded-proto": "http",
		"x-forwarded-host": "Chat.Example",
	});
});

test("what follows a handshake at once is not lost, on either side", async () => {
	const { visits, at } = await before({}, (request) => `${switching(request)}first`);
	const line = new Line(at, `${knock}early`);
	await line.until((text) => text.endsWith("first"));
	let heard = "";
	await eventually(() => visits.length === 1);
	heard = visits[0]?.early.toString() ?? "";
	visits[0]?.socket.on("data", (data) => {
		heard += data;
	});
	line.send(" and late");
	await eventually(() => heard === "early and late");
});

test("the last words arrive before the end", async () => {
	const { visits, at } = await before();
	const line = new Line(at, knock);
	await line.until((text) => text.includes("\r\n\r\n"));
	line.socket.pause();
	visits[0]?.socket.end("x".repeat(3_000_000));
	await eventually(() => visits[0]?.socket.writableFinished === true);
	line.socket.resume();
	expect((await line.closed()).length).toBeGreaterThan(3_000_000);
});

test.each(["client", "service"])("a %s that is gone is gone for the other side", async (who) => {
	const { visits, at, gateway } = await before();
	const line = new Line(at, knock);
	await line.until((text) => text.includes("\r\n\r\n"));
	const [near, far] = [line.socket, visits[0]?.socket as Socket];
	const ended = once(who === "client" ? far.resume() : near, "end");
	(who === "client" ? near : far).resetAndDestroy();
	await ended;
	await eventually(() => gateway.open.webSockets === 0);
});

test("a client that turns away before the answer is gone for the service", async () => {
	const { visits, at, gateway } = await before({}, () => "");
	const line = new Line(at, knock);
	await eventually(() => visits.length === 1);
	line.socket.resetAndDestroy();
	const [visit] = visits;
	await once(visit?.socket.resume() as Socket, "end");
	await eventually(() => gateway.open.webSockets === 0);
});

test("a tunnel goes no faster than it is read", async () => {
	const { visits, at } = await before();
	const line = new Line(at, knock);
	await line.until((text) => text.includes("\r\n\r\n"));
	line.socket.pause();
	const service = visits[0]?.socket as Socket;
	let sent = 0;
	const more = () => {
		while (sent < 100e6) {
			sent += 65536;
			if (!service.write(Buffer.alloc(65536))) return service.once("drain", more);
		}
	};
	more();
	expect(await settled(() => sent)).toBeLessThan(40e6);
});

test("a refusal is passed on, and what follows it never reaches the service", async () => {
	const refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\nX-Why: y\r\n\r\nno!";
	const { visits, at, gateway } = await before({}, () => refusal);
	const line = new Line(at, knock);
	const answer = await line.until((text) => text.endsWith("no!"));
	expect(answer).toMatch(/^HTTP\/1.1 401 .*X-Why: y/is);
	let heard = "";
	visits[0]?.socket.on("data", (data) => {
		heard += data;
	});
	line.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
	expect(await line.closed()).toBe(answer);
	expect(heard).toBe("");
	await eventually(() => gateway.open.webSockets === 0);
});

test("nobody listens: 502", async () => {
	const { at } = await open({ kind: "service", port: 1 });
	expect(await new Line(at, knock).closed()).toMatch(/^HTTP\/1.1 502 .*Retry-After: 10/s);
});

test("a service that never answers a handshake: 504", async () => {
	const { at } = await before({ firstByte: 100 }, () => "");
	expect(await new Line(at, knock).closed()).toMatch(/^HTTP\/1.1 504 /);
});

test("a service may think about a handshake for longer than it takes to reach it", async () => {
	const { visits, at } = await before({ connect: 500 }, () => "");
	const line = new Line(at, knock);
	await eventually(() => visits.length === 1);
	setTimeout(() => visits[0]?.socket.write(switching(visits[0].request)), 1000);
	expect(await line.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 101 /);
});

test("a tunnel in which nothing moves is closed", async () => {
	const { at } = await before({ idle: 100 });
	const line = new Line(at, knock);
	await line.until((text) => text.includes("\r\n\r\n"));
	await line.closed();
});

test.each<[string, Destination, number]>([
	["is frozen", { kind: "wait", why: "frozen", retryAfter: 5 }, 503],
	["nobody knows", { kind: "unknown" }, 421],
])("a handshake with a host that %s is answered like any request", async (_, destination, status) => {
	const { at, gateway } = await open(destination);
	const line = new Line(at, knock);
	expect(await line.until((text) => text.includes("\r\n\r\n"))).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
	expect(gateway.open.webSockets).toBe(0);
});

test.each([
	["h2c", "GET / HTTP/1.1\nHost: a\nUpgrade: h2c\nHTTP2-Settings: x\nConnection: Upgrade, HTTP2-Settings, close"],
	[
		"a WebSocket by POST",
		"POST / HTTP/1.1\nHost: a\nUpgrade: websocket\nContent-Length: 0\nConnection: upgrade, close",
	],
	[
		"a WebSocket with a body",
		"GET / HTTP/1.1\nHost: a\nUpgrade: websocket\nContent-Length: 1\nConnection: upgrade, close",
	],
	["a WebSocket that Connection does not name", "GET / HTTP/1.1\nHost: a\nUpgrade: websocket"],
])("%s is an ordinary request", async (_, head) => {
	const { at, visits } = await before();
	expect(await ask(at, head, head.includes(": 1") ? "x" : "")).toMatch(/^HTTP\/1.1 200 .*plain undefined$/s);
	expect(visits).toEqual([]);
});

test("closing ends the tunnels", async () => {
	const { at, gateway } = await before();
	const line = new Line(at, knock);
	await line.until((text) => text.includes("\r\n\r\n"));
	await gateway.close(60_000);
	await line.closed();
});
