/** What a client or a service may not do to the other one, or for how long. */
import { expect, test } from "vitest";
import { before, gatewayTo, get } from "../../test/door.ts";
import { eventually, Line } from "../../test/loopback.ts";

test("a service that does not begin to answer is given up, one that takes its time over the rest is not", async () => {
	let rest = () => {};
	const { at } = await before(
		(request, response) => {
			if (request.url === "/slow") return;
			response.write("one ");
			rest = () => response.end("two");
		},
		{ firstByte: 1500 },
	);
	const slow = new Line(at, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
	const other = new Line(at, get);
	expect(await slow.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 504 /);
	rest();
	expect(await other.until((text) => text.includes("two"))).toMatch(/^HTTP\/1.1 200 /);
});

test("a client that sends a byte now and then is cut off", async () => {
	const { at, requests } = await before(() => {}, { headTime: 200 });
	const line = new Line(at, "GET / HTTP/1.1\r\nHost: a\r\n");
	const drip = setInterval(() => line.send("X: y\r\n"), 20);
	expect(await line.closed()).toMatch(/^HTTP\/1.1 408 /);
	clearInterval(drip);
	expect(requests).toEqual([]);
});

test("an upload that stops is cut off, while an answer may take longer", async () => {
	let isBroken = false;
	const { at } = await before(
		(request, response) => {
			if (request.url === "/late") request.resume().once("end", () => setTimeout(() => response.end("late"), 1600));
			else
				request.resume().once("error", () => {
					isBroken = true;
				});
		},
		{ uploadIdle: 1000 },
	);
	const stalled = new Line(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
	const patient = new Line(at, "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
	expect(await stalled.closed()).toBe("");
	await eventually(() => isBroken);
	expect(await patient.until((text) => text.includes("late"))).toMatch(/^HTTP\/1.1 200 /);
});

test("a client that stops reading is cut off", async () => {
	let isClosed = false;
	const { at } = await before(
		(_, response) => {
			const more = () => {
				while (response.write(Buffer.alloc(65536)));
				response.once("drain", more);
			};
			more();
			response.once("close", () => {
				isClosed = true;
			});
		},
		{ idle: 300 },
	);
	new Line(at, get).socket.pause();
	await eventually(() => isClosed);
});

test("a head that is too large is refused", async () => {
	const { at, requests } = await before(() => {}, { head: 4096 });
	const line = new Line(at, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(5000)}\r\n\r\n`);
	expect(await line.closed()).toMatch(/^HTTP\/1.1 431 /);
	expect(requests).toEqual([]);
});

test("one address has so many connections and no more", async () => {
	const { at } = await before((_, response) => response.end("ok"), { connectionsPerClient: 3 });
	const first = [1, 2, 3].map(() => new Line(at, get));
	for (const line of first) await line.until((text) => text.endsWith("ok"));
	expect(await new Line(at, get).closed()).toMatch(/^HTTP\/1.1 429 /);
	first[0]?.socket.destroy();
	const again = async (): Promise<string> => {
		const answer = await new Line(at, get).until((text) => text.includes("\r\n\r\n"));
		return answer.includes(" 429 ") ? again() : answer;
	};
	expect(await again()).toMatch(/^HTTP\/1.1 200 /);
});

test("a body over the limit is refused, announced or not", async () => {
	const { at, requests } = await before(() => {}, { body: 1000 });
	const announced = new Line(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
	expect(await announced.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 413 /);
	expect(requests).toEqual([]);
	const chunk = `3E8\r\n${"x".repeat(1000)}\r\n`;
	const chunked = new Line(at, `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
	await eventually(() => requests.length === 1);
	expect(chunked.received).toBe("");
	chunked.send("1\r\nx\r\n");
	expect(await chunked.until((text) => text.includes("\r\n\r\n"))).toMatch(/^HTTP\/1.1 413 /);
});

test.each(["a service", "the gateway"])("who sends for ever after the answer of %s is cut off", async (who) => {
	const limits = { linger: 50 };
	const frozen = await gatewayTo(0, limits, () => ({ kind: "wait", why: "frozen", retryAfter: 5 }));
	const { at } = await before((_, response) => response.writeHead(503, { "Content-Length": "0" }).end(), limits);
	const port = who === "a service" ? at : frozen;
	const line = new Line(port, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
	expect(await line.closed()).toMatch(/^HTTP\/1.1 503 /);
});

test("who has sent all after an early answer keeps the connection", async () => {
	const { at } = await before((_, response) => response.writeHead(413, { "Content-Length": "0" }).end(), {
		linger: 1000,
	});
	const line = new Line(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
	await line.until((text) => text.includes("\r\n\r\n"));
	line.send("x");
	await new Promise((resolve) => setTimeout(resolve, 1300));
	line.send(get);
	await line.until((text) => text.split("HTTP/1.1 413").length === 3);
	expect(line.isClosed).toBe(false);
});
