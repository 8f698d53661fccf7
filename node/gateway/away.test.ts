/** Requests for services that have moved: two gateways, the old node's and the new one's, and a service behind the new. */
import { execFileSync } from "node:child_process";
import { createHash, createSign, createVerify, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { afterwards, ask, eventually, Line, listening, service, settled } from "../../test/loopback.ts";
import type { Destination } from "./destination.ts";
import { type Counted, Gateway } from "./gateway.ts";
import type { Limits } from "./limits.ts";

interface Options {
	readonly name?: string;
	readonly limits?: Partial<Limits>;
}

async function open(find: (host: string) => Destination, { name = "north.example", limits = {} }: Options = {}) {
	const counts: string[] = [];
	const gateway = new Gateway({
		...{ find, limits, panel: () => {}, trustProxy: false, about: { provider: name, panel: `https://${name}/` } },
		counted: (host: string, what: Counted) => void counts.push(`${host} ${what}`),
	});
	const port = await gateway.listen({ host: "127.0.0.1", port: 0 });
	afterwards(() => gateway.close(0));
	return { gateway, port, counts, front: `http://127.0.0.1:${port}` };
}

/** North, from where it has moved; South, where it is now; and what the service there has seen. */
async function moved(handler: RequestListener, limits: Partial<Limits> = {}) {
	const seen = await service(handler);
	const south = await open(() => ({ kind: "service", port: seen.port }), { name: "south.example", limits });
	const north = await open(() => ({ kind: "away", front: south.front }), { limits });
	return { seen, south, north };
}

function nobody(): Promise<number> {
	return new Promise((done) => {
		const server = createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address() as { port: number };
			server.close(() => done(port));
		});
	});
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
	return Buffer.concat(await request.toArray());
}

test("the new node gets a request as it was sent, and who sent it", async () => {
	const requests: IncomingMessage[] = [];
	const far = await service((request, response) => {
		requests.push(request);
		response.writeHead(201, { "x-word": "yes" }).end("done");
	});
	const { port, counts, gateway } = await open(() => ({ kind: "away", front: `http://127.0.0.1:${far.port}` }));
	const head =
		"GET /caf%C3%A9/%2e?a=%20 HTTP/1.1\nHost: Social.Choir.Example:8080\nVia: 1.0 fred\nX-Name: \xc3\xa9\nX-Real-IP: 192.0.2.1";
	expect(await ask(port, head)).toMatch(/^HTTP\/1.1 201 Created\r\nx-word: yes\r\n.*\r\ndone\r\n/s);
	expect(requests[0]?.url).toBe("/caf%C3%A9/%2e?a=%20");
	expect(requests[0]?.headers).toEqual({
		host: "Social.Choir.Example:8080",
		via: "1.0 fred, 1.1 north.example",
		"x-name": "\xc3\xa9",
		"x-forwarded-for": "127.0.0.1",
		"x-forwarded-proto": "http",
		"x-forwarded-host": "Social.Choir.Example:8080",
		forwarded: 'for=127.0.0.1;host="Social.Choir.Example:8080";proto=http',
		connection: "keep-alive",
	});
	await eventually(() => counts.length > 0);
	expect(counts).toEqual(["social.choir.example forwarded"]);
	expect(gateway.tally).toMatchObject({ away: 1, failed: 0 });
});

test("a signed delivery still is what was signed", async () => {
	const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const signed = (request: Pick<IncomingMessage, "method" | "url" | "headers">) =>
		[
			`(request-target): ${request.method?.toLowerCase()} ${request.url}`,
			...["host", "date", "digest", "content-type"].map((name) => `${name}: ${request.headers[name]}`),
		].join("\n");
	const { north, seen } = await moved(async (request, response) => {
		const body = await bodyOf(request);
		const [, signature = ""] = /signature="([^"]+)"/.exec(String(request.headers["signature"])) ?? [];
		const isSigned = createVerify("sha256").update(signed(request)).verify(publicKey, signature, "base64");
		const isWhole = request.headers["digest"] === `SHA-256=${createHash("sha256").update(body).digest("base64")}`;
		response.writeHead(isSigned && isWhole ? 202 : 401).end();
	});
	const body = JSON.stringify({ type: "Create", object: { content: "Wir singen am Dienstag äöü" } });
	const request = {
		method: "POST",
		url: "/alice/inbox?shared=no",
		headers: {
			host: "social.choir.example",
			date: new Date().toUTCString(),
			digest: `SHA-256=${createHash("sha256").update(body).digest("base64")}`,
			"content-type": "application/activity+json",
		},
	};
	const signature = createSign("sha256").update(signed(request)).sign(privateKey, "base64");
	const head = [
		`${request.method} ${request.url} HTTP/1.1`,
		...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`),
		`Signature: keyId="https://third.example/bob#main-key",headers="(request-target) host date digest content-type",signature="${signature}"`,
		`Content-Length: ${Buffer.byteLength(body)}`,
	].join("\n");
	expect(await ask(north.port, head, Buffer.from(body).toString("latin1"))).toMatch(/^HTTP\/1.1 202 /);
	expect(seen.requests).toHaveLength(1);
});

test("answers of the new node's services pass as they are, also 404 and 501", async () => {
	const { north } = await moved((request, response) => {
		response.writeHead(Number(request.url?.slice(1)), { "content-length": "8" }).end("as it is");
	});
	for (const status of [404, 410, 501, 500])
		expect(await ask(north.port, `GET /${status} HTTP/1.1\nHost: a`)).toMatch(
			new RegExp(`^HTTP/1.1 ${status} .*as it is$`, "s"),
		);
	expect(north.counts).toEqual(Array(4).fill("a forwarded"));
});

test("connections to the new node are kept, one host name beside the other", async () => {
	const sockets = new Set<Socket>();
	const { north } = await moved((request, response) => response.end(request.headers.host));
	const far = await service((request, response) => {
		sockets.add(request.socket);
		response.end(request.headers.host);
	});
	const near = await open(() => ({ kind: "away", front: `http://127.0.0.1:${far.port}` }));
	for (const host of ["a", "b", "a", "b", "a"])
		expect(await ask(near.port, `GET / HTTP/1.1\nHost: ${host}`)).toMatch(new RegExp(`${host}$`));
	expect(sockets.size).toBe(2);
	expect(north.gateway.open.connections).toBe(0);
});

test("what goes round between two nodes is answered 508 at once", async () => {
	const destinations: Destination[] = [];
	const south = await open(() => destinations[0] as Destination, { name: "south.example" });
	const north = await open(() => ({ kind: "away", front: south.front }));
	destinations.push({ kind: "away", front: north.front });
	expect(await ask(north.port, "GET / HTTP/1.1\nHost: a")).toMatch(/^HTTP\/1.1 508 .*retry-after: 30/s);
	expect([north.gateway.tally.away, south.gateway.tally.away]).toEqual([2, 1]);
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13";
	const knock = `GET / HTTP/1.1\nHost: a\nUpgrade: websocket\nConnection: Upgrade\n${key}\n\n`.replaceAll("\n", "\r\n");
	expect(await new Line(north.port, knock).until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 508 /);
});

test("what has come back to serve here is served, though it has been here before", async () => {
	const { port } = await service((_, response) => response.end("back again"));
	const north = await open(() => ({ kind: "service", port }));
	const south = await open(() => ({ kind: "away", front: north.front }), { name: "south.example" });
	expect(await ask(south.port, "GET / HTTP/1.1\nHost: a\nVia: 1.1 north.example")).toMatch(/back again$/);
});

test.each([
	["nobody listens", async () => `http://127.0.0.1:${await nobody()}`],
	["no answer comes", async () => `http://127.0.0.1:${(await service(() => {})).port}`],
	["it hangs up", async () => `http://127.0.0.1:${(await service((request) => request.socket.destroy())).port}`],
	["it does not know the name", async () => (await open(() => ({ kind: "unknown" }), { name: "south.example" })).front],
])("when %s at the new node, the sender is to try again, and keeps what it has", async (_, where) => {
	const front = await where();
	const { port, counts, gateway } = await open(() => ({ kind: "away", front }), { limits: { firstByte: 200 } });
	const post = "POST /inbox HTTP/1.1\nHost: a.example\nContent-Type: application/activity+json\nContent-Length: 2";
	for (const [head, body] of [["GET / HTTP/1.1\nHost: a.example", ""] as const, [post, "{}"] as const])
		expect(await ask(port, head, body)).toMatch(/^HTTP\/1.1 503 .*Retry-After: 30\r\n/s);
	expect(counts).toEqual(["a.example failed", "a.example failed"]);
	expect(gateway.tally).toMatchObject({ away: 2, failed: 2 });
});

test("an answer that breaks off is no answer", async () => {
	const { north } = await moved((_, response) => {
		response.writeHead(200, { "content-length": "100" }).write("something");
		setImmediate(() => response.destroy());
	});
	await ask(north.port, "GET / HTTP/1.1\nHost: a");
	await eventually(() => north.counts.length > 0);
	expect(north.counts).toEqual(["a failed"]);
});

test("people are told in words", async () => {
	const front = `http://127.0.0.1:${await nobody()}`;
	const { port } = await open(() => ({ kind: "away", front }));
	const answer = await ask(port, "GET / HTTP/1.1\nHost: a.example\nAccept: text/html\nAccept-Language: en");
	expect(answer).toContain("has moved, and its new provider does not answer");
	expect(answer).not.toContain(front);
});

test("what is put off is counted", async () => {
	const { port, counts } = await open(() => ({ kind: "wait", why: "frozen", retryAfter: 5 }));
	expect(await ask(port, "GET / HTTP/1.1\nHost: a.example:8080")).toMatch(/^HTTP\/1.1 503 .*Retry-After: 5/s);
	expect(counts).toEqual(["a.example deferred"]);
});

test("a request under way when its service is frozen is put off", async () => {
	let destination: Destination;
	const dying = await service((request) => {
		destination = { kind: "wait", why: "frozen", retryAfter: 5 };
		request.socket.destroy();
	});
	destination = { kind: "service", port: dying.port };
	const { port, counts } = await open(() => destination);
	expect(await ask(port, "POST / HTTP/1.1\nHost: a\nContent-Length: 0")).toMatch(/^HTTP\/1.1 503 /);
	expect(counts).toEqual(["a deferred"]);
});

test("big bodies go both ways, whole", async () => {
	const { north } = await moved((request, response) => request.pipe(response));
	const sent = Buffer.alloc(20_000_000, "0123456789abcdef");
	const answer = await fetch(`http://127.0.0.1:${north.port}/`, { method: "POST", body: sent });
	const got = Buffer.from(await answer.arrayBuffer());
	expect(createHash("sha256").update(got).digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
});

test("an upload goes no faster than the new node takes it", async () => {
	const { north, seen } = await moved((request) => request.pause());
	const socket = connect(north.port, "127.0.0.1");
	afterwards(() => socket.destroy());
	socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n");
	let sent = 0;
	const more = () => {
		while (sent < 200e6) {
			sent += 65_536;
			if (!socket.write(Buffer.alloc(65_536))) return socket.once("drain", more);
		}
	};
	more();
	await eventually(() => seen.requests.length === 1);
	expect(await settled(() => sent)).toBeLessThan(60e6);
});

test("a WebSocket goes through both nodes", async () => {
	const { north, seen, south } = await moved(() => {});
	seen.server.on("upgrade", (request, socket) => {
		const accept = createHash("sha1").update(
			`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
		);
		socket.write(
			`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
		);
		const words = `via ${request.headers.via} to ${request.headers.host}`;
		socket.write(Buffer.concat([Buffer.from([0x81, words.length]), Buffer.from(words)]));
	});
	const socket = new WebSocket(`ws://127.0.0.1:${north.port}/chat`);
	afterwards(() => socket.close());
	const said = await new Promise<string>((done) => socket.addEventListener("message", ({ data }) => done(data)));
	expect(said).toBe(`via 1.1 north.example to 127.0.0.1:${north.port}`);
	expect(north.counts).toEqual(["127.0.0.1 forwarded"]);
	expect([north.gateway.open.webSockets, south.gateway.open.webSockets]).toEqual([1, 1]);
});

test("a WebSocket that the new node does not answer is put off", async () => {
	const front = `http://127.0.0.1:${await nobody()}`;
	const { port, counts } = await open(() => ({ kind: "away", front }));
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
	const line = new Line(
		port,
		`GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n\r\n`,
	);
	expect(await line.closed()).toMatch(/^HTTP\/1.1 503 .*Retry-After: 30/s);
	expect(counts).toEqual(["a failed"]);
});

test.skipIf(!existsSync("/usr/bin/openssl"))("by TLS it proves the name that was asked for, to all", async () => {
	const { key, cert } = certificateFor("social.choir.example");
	const usual = getCACertificates("default");
	afterwards(() => setDefaultCACertificates(usual));
	setDefaultCACertificates([...usual, cert]);
	const names: (string | false | null)[] = [];
	const server = createSecureServer({ key, cert }, (request, response) => {
		names.push((request.socket as TLSSocket & { servername: string | false }).servername);
		response.end("sealed");
	});
	server.on("upgrade", (request, socket) => {
		names.push((request.socket as TLSSocket & { servername: string | false }).servername);
		socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	});
	const front = `https://localhost:${await listening(server)}`;
	const { port } = await open(() => ({ kind: "away", front }));
	expect(await ask(port, "GET / HTTP/1.1\nHost: Social.Choir.Example.:8080")).toMatch(/sealed$/);
	expect(await ask(port, "GET / HTTP/1.1\nHost: social.choir.example")).toMatch(/sealed$/);
	expect(await ask(port, "GET / HTTP/1.1\nHost: wiki.choir.example")).toMatch(/^HTTP\/1.1 503 /);
	const key64 = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
	const knock = (host: string) =>
		`GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key64}\r\n\r\n`;
	expect(await new Line(port, knock("social.choir.example")).closed()).toMatch(/^HTTP\/1.1 401 /);
	expect(await new Line(port, knock("wiki.choir.example")).closed()).toMatch(/^HTTP\/1.1 503 /);
	expect(new Set(names)).toEqual(new Set(["social.choir.example"]));
});

/** Signed by itself, for an hour. */
function certificateFor(host: string): { key: string; cert: string } {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-tls-"));
	afterwards(() => rmSync(folder, { recursive: true }));
	const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
	const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert];
	const about = ["-days", "1", "-subj", "/CN=test", "-addext", `subjectAltName=DNS:${host}`];
	execFileSync("openssl", ["req", "-x509", ...kind, ...about], { stdio: "ignore" });
	return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}
