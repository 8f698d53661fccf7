/** Bodies on their way, in both directions: pace, hanging up, answers that come early or not at all. */

import { request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { before, beforeRaw, gatewayTo, get, open } from "../../test/door.ts";
import { eventually, Line, listening, service, settled } from "../../test/loopback.ts";
import type { Destination } from "./destination.ts";

const MiB = 1024 * 1024;

test("600 MiB go down no faster than they are read, and all of them", async () => {
	let sent = 0;
	const size = 600 * MiB;
	const { at } = await before((_, response) => {
		response.writeHead(200, { "Content-Length": size });
		const piece = Buffer.alloc(MiB, "x");
		const more = () => {
			while (sent < size) {
				sent += piece.length;
				if (!response.write(piece)) return response.once("drain", more);
			}
			return response.end();
		};
		more();
	});
	const request = ask({ port: at, host: "127.0.0.1", agent: false }).end();
	const response = await new Promise<IncomingMessage>((resolve) => request.once("response", resolve));
	response.pause();
	// What two connections hold in their kernel buffers, and little more.
	expect(await settled(() => sent)).toBeLessThan(40 * MiB);
	const memory = process.memoryUsage().rss;
	let most = 0;
	let received = 0;
	for await (const piece of response) {
		received += (piece as Buffer).length;
		most = Math.max(most, process.memoryUsage.rss());
	}
	expect(received).toBe(size);
	// Garbage may lie about for a while; what is kept would be the whole of it.
	expect(most - memory).toBeLessThan(size / 2);
});

test("200 MiB go up no faster than the service takes them, and all of them", async () => {
	const size = 200 * MiB;
	let upload: IncomingMessage | undefined;
	const { at } = await before((request) => {
		upload = request;
	});
	const request = ask({
		port: at,
		host: "127.0.0.1",
		agent: false,
		method: "POST",
		headers: { "Content-Length": size },
	});
	request.once("error", () => {});
	let sent = 0;
	const piece = Buffer.alloc(MiB, "y");
	const more = () => {
		while (sent < size) {
			sent += piece.length;
			if (!request.write(piece)) return request.once("drain", more);
		}
		return request.end();
	};
	more();
	expect(await settled(() => sent)).toBeLessThan(40 * MiB);
	let received = 0;
	for await (const piece of upload as IncomingMessage) received += (piece as Buffer).length;
	expect(received).toBe(size);
	expect(upload?.headers["content-length"]).toBe(String(size));
	request.destroy();
});

test.each([3, 256, 20_000])("an answer of %i bytes arrives to the byte", async (size) => {
	const bytes = Buffer.from(Array.from({ length: size }, (_, at) => 255 - (at % 256)));
	const { at } = await before((_, response) => response.writeHead(200, { "Content-Length": size }).end(bytes));
	const line = new Line(at, get);
	await line.until((text) => text.length > size && text.endsWith(bytes.toString("latin1")));
});

test("a body in chunks arrives as one, and is answered in chunks", async () => {
	const { at } = await before(async (request, response) => {
		let body = "";
		for await (const piece of request) body += piece;
		response.write(`${request.headers["content-length"]} ${body}`);
		response.end("!");
	});
	const line = new Line(at, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	line.send("6;x=y\r\n world\r\n0\r\nX-Trailer: z\r\n\r\n");
	const answer = await line.until((text) => text.endsWith("0\r\n\r\n"));
	expect(answer).toMatch(/Transfer-Encoding: chunked/i);
	// undici counts a body that has come in whole before it is sent on.
	expect(answer).toMatch(/(undefined|11) hello world/);
});

test.each(["GET", "DELETE", "PATCH", "PROPFIND", "OPTIONS"])("%s may carry a body", async (method) => {
	const { at } = await before(async (request, response) => {
		let body = "";
		for await (const piece of request) body += piece;
		response.end(`${request.method} ${body}`);
	});
	const line = new Line(at, `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`);
	expect(await line.until((text) => text.includes("hello"))).toMatch(`${method} hello`);
});

test("the first event arrives before there is a second, and the head before there is a first", async () => {
	let stream: ServerResponse | undefined;
	const { at } = await before((_, response) => {
		stream = response;
		response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
	});
	const line = new Line(at, get);
	await line.until((text) => text.includes("\r\n\r\n"));
	for (const number of [1, 2, 3]) {
		stream?.write(`data: ${number}\n\n`);
		await line.until((text) => text.includes(`data: ${number}\n\n`));
		expect(line.received).not.toContain(`data: ${number + 1}`);
	}
	expect(line.isClosed).toBe(false);
});

test("who turns away from a download ends it at the service too", async () => {
	let isClosed = false;
	const { at, requests } = await before((_, response) => {
		response.writeHead(200).write("something");
		response.once("close", () => {
			isClosed = true;
		});
	});
	const line = new Line(at, get);
	await line.until((text) => text.includes("something"));
	line.socket.destroy();
	await eventually(() => isClosed);
	expect(requests).toHaveLength(1);
});

test("who turns away before the answer ends the request at the service too, which is not to blame", async () => {
	let isClosed = false;
	const { at, gateway } = await before((_, response) => {
		response.once("close", () => {
			isClosed = true;
		});
		line.socket.resetAndDestroy();
	});
	const line = new Line(at, get);
	await eventually(() => isClosed && gateway.open.connections === 0);
	expect(gateway.tally).toMatchObject({ service: 1, failed: 0 });
});

test.each([
	["with a length", "Content-Length: 1000\r\n\r\nhalf"],
	["in chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
])("an upload %s that breaks off never looks whole", async (_, rest) => {
	let end = "";
	const { at } = await before((request) => {
		request.once("data", () => line.socket.destroy());
		request.once("end", () => {
			end = "whole";
		});
		request.once("error", () => {
			end = "broken";
		});
	});
	const line = new Line(at, `POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
	await eventually(() => end !== "");
	expect(end).toBe("broken");
});

test.each([
	["with a length", "Content-Length: 1000\r\n\r\nhalfEND"],
	["in chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nEND"],
])("an answer %s that breaks off never looks whole", async (_, rest) => {
	const { at } = await beforeRaw(`HTTP/1.1 200 OK\r\n${rest}`);
	const answer = await new Line(at, get).closed();
	expect(answer).toContain("half");
	expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
	expect(answer).toMatch(/Content-Length: 1000|Transfer-Encoding: chunked/i);
});

test("an early answer reaches who still sends, and the rest of the body goes nowhere", async () => {
	const { at } = await before((_, response) => response.writeHead(413, { "Content-Length": "0" }).end());
	const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 * MiB}\r\n\r\n`;
	const line = new Line(at, `${head}${"x".repeat(MiB)}`);
	await line.until((text) => text.includes("\r\n\r\n"));
	expect(line.received).toMatch(/^HTTP\/1.1 413 /);
	line.send("x".repeat(7 * MiB)).send(get);
	await line.until((text) => text.split("HTTP/1.1 413").length === 3);
});

test("HEAD keeps the length and has no body", async () => {
	const { at, requests } = await before((_, response) => response.writeHead(200, { "Content-Length": "1234" }).end());
	const line = new Line(at, `HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get.replace("GET", "HEAD")}`);
	const answer = await line.until((text) => text.split("HTTP/1.1 200").length === 3 && text.endsWith("\r\n\r\n"));
	expect(answer.match(/Content-Length: 1234/gi)).toHaveLength(2);
	expect(requests.map(({ method }) => method)).toEqual(["HEAD", "HEAD"]);
});

test.each([204, 304])("%i has no body and leaves the connection usable", async (status) => {
	const { at } = await before((_, response) => response.writeHead(status, { ETag: '"x"' }).end());
	const line = new Line(at, get + get);
	const answer = await line.until((text) => text.split(`HTTP/1.1 ${status}`).length === 3 && text.endsWith("\r\n\r\n"));
	expect(answer).not.toMatch(/chunked/i);
	expect(answer.match(/ETag: "x"/gi)).toHaveLength(2);
});

test("HTTP/1.0 gets an answer without chunks, which ends with the connection", async () => {
	const { at } = await before((_, response) => {
		response.write("one ");
		response.end("two");
	});
	const answer = await new Line(at, "GET / HTTP/1.0\r\nHost: a\r\n\r\n").closed();
	expect(answer).not.toMatch(/chunked/i);
	expect(answer).toMatch(/\r\n\r\none two$/);
});

test("a client that waits to be asked for its body is asked, once somebody wants it", async () => {
	const { at } = await before(async (request, response) => {
		let body = "";
		for await (const piece of request) body += piece;
		response.end(`${request.headers.expect} ${body}`);
	});
	const line = new Line(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	expect(await line.until((text) => text.includes("\r\n\r\n"))).toBe("HTTP/1.1 100 Continue\r\n\r\n");
	line.send("hello");
	expect(await line.until((text) => text.includes("hello"))).toMatch(/undefined hello/);

	const frozen = await gatewayTo(0, {}, () => ({ kind: "wait", why: "frozen", retryAfter: 5 }));
	const other = new Line(frozen, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	expect(await other.closed()).toMatch(/^HTTP\/1.1 503 /);
});

test("interim answers of a service are not taken for the answer", async () => {
	const { at } = await beforeRaw(
		"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	);
	expect(await new Line(at, get).until((text) => text.endsWith("ok"))).toMatch(/^HTTP\/1.1 200 /);
});

test("connections to a service are kept and used again", async () => {
	const { at, server } = await before((_, response) => response.end("ok"));
	let connections = 0;
	server.on("connection", () => connections++);
	for (let turn = 1; turn <= 20; turn++) await new Line(at, get).until((text) => text.endsWith("ok"));
	expect(connections).toBe(1);
});

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test("a connection that the service has given up is not the client's trouble", async () => {
	// The second request on a connection is answered by closing it, as when its time ran out just then.
	const { at, heard } = await beforeRaw(ok);
	const line = new Line(at, get);
	await line.until((text) => text.endsWith("ok"));
	line.send(get);
	await line.until((text) => text.split(" 200 OK").length === 3);
	expect(heard).toHaveLength(3);
});

test.each([
	["may have been carried out", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"],
	["had a body, which is gone by now,", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"],
])("what %s is not sent twice", async (_, request) => {
	const { at, heard } = await beforeRaw("END", ok);
	const line = new Line(at, request);
	await line.until((text) => text.includes("HTTP/1.1 502"));
	await settled(() => heard.length);
	expect(heard.join("").match(/HTTP\/1.1/g)).toHaveLength(1);
});

test("what may not be sent twice meets no connection that a service without a word gives up after each answer", async () => {
	const server = createServer((socket) => {
		// The end of the connection is on its way when the next request comes.
		socket.once("data", () => socket.write(ok, () => setTimeout(() => socket.destroy(), 5)));
	});
	const { at } = await open(await listening(server));
	const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
	const line = new Line(at, "");
	for (let turn = 1; turn <= 50; turn++) {
		line.send(turn % 2 ? post : get);
		await line.until((text) => text.split("HTTP/1.1 ").length > turn);
	}
	expect((await line.until(() => true)).match(/HTTP\/1.1 200/g)).toHaveLength(50);
});

test.each([
	["a service that answers nonsense", "nonsense\r\n\r\nEND"],
	["a service that only hangs up", "END"],
	[
		"a service that switches protocols by itself",
		"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
	],
	["a service with a head of 100 kB", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}\r\n\r\nEND`],
	["a service whose header would split", "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\nEND"],
])("%s is a 502", async (_, piece) => {
	const { at } = await beforeRaw(piece, piece);
	const answer = await new Line(at, get).until((text) => text.includes("\r\n\r\n"));
	expect(answer).toMatch(/^HTTP\/1.1 502 .*Retry-After: 10/s);
	expect(answer).not.toMatch(/set-cookie/i);
});

test("nobody listens: 502, or what is known about it by then", async () => {
	const seen = await service(() => {});
	await new Promise((resolve) => seen.server.close(resolve));
	const line = new Line(await gatewayTo(seen.port), get);
	expect(await line.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 502 /);

	let asked = 0;
	const find = (): Destination =>
		asked++ === 0 ? { kind: "service", port: seen.port } : { kind: "wait", why: "frozen", retryAfter: 7 };
	const other = new Line(await gatewayTo(0, {}, find), get);
	expect(await other.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 503 .*Retry-After: 7/s);
});

test("nobody listens, and the body still comes: the next request is understood", async () => {
	const seen = await service(() => {});
	await new Promise((resolve) => seen.server.close(resolve));
	const line = new Line(await gatewayTo(seen.port, { body: 9 * MiB }), "POST / HTTP/1.1\r\nHost: a\r\n");
	const chunk = `100000\r\n${"x".repeat(MiB)}\r\n`;
	line.send(`Transfer-Encoding: chunked\r\n\r\n${chunk}`);
	await line.until((text) => text.includes("HTTP/1.1 502"));
	line.send(`${chunk.repeat(10)}0\r\n\r\n${get}`);
	await line.until((text) => text.split("HTTP/1.1 502").length === 3);
});
