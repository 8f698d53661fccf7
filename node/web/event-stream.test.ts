import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type EventSource, eventStream, type StreamEvent } from "./event-stream.ts";
import type { Caller, WebEnv } from "./implement.ts";

/** Gives three events, then more when told, until nobody listens. */
class Source {
	readonly asked: (number | undefined)[] = [];
	ended = 0;
	readonly #events: StreamEvent[] = [1, 2, 3].map((seq) => ({ seq, event: "step", data: { seq, text: "ä\nb" } }));
	#wake = Promise.withResolvers<void>();

	add(event: StreamEvent) {
		this.#events.push(event);
		this.#wake.resolve();
		this.#wake = Promise.withResolvers();
	}

	readonly read: EventSource = (after, signal) => {
		this.asked.push(after);
		return this.#follow(after ?? 0, signal);
	};

	async *#follow(after: number, signal: AbortSignal) {
		const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
		try {
			for (let last = after; !signal.aborted; ) {
				const next = this.#events.find(({ seq }) => seq > last);
				if (next) yield next;
				else await Promise.race([this.#wake.promise, aborted]);
				last = next?.seq ?? last;
			}
		} finally {
			this.ended++;
		}
	}
}

const step = (seq: number) => `id: ${seq}\nevent: step\ndata: {"seq":${seq},"text":"ä\\nb"}\n\n`;
let source: Source;
let valid: boolean;
let beat: number;
let app: Hono<WebEnv>;

beforeEach(() => {
	source = new Source();
	valid = true;
	beat = 60_000;
	app = new Hono<WebEnv>();
	app.get("/events", (c) => {
		c.set("caller", { valid: () => valid } as Caller);
		return eventStream(c, source.read, { beat, retry: 1500 });
	});
});

describe("behind a real server", () => {
	let server: Server;
	let port: number;
	beforeEach(async () => {
		server = createServer(getRequestListener(app.fetch));
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		port = (server.address() as AddressInfo).port;
	});
	afterEach(() => {
		server.closeAllConnections();
		server.close();
	});

	const opened = (headers = {}) =>
		new Promise<{ answer: IncomingMessage; text: () => string; close(): void }>((resolve, reject) => {
			const request = get({ port, path: "/events", headers, agent: false }, (answer) => {
				let text = "";
				answer.setEncoding("utf8").on("data", (piece) => {
					text += piece;
				});
				answer.on("error", () => {});
				resolve({ answer, text: () => text, close: () => request.destroy() });
			});
			request.on("error", reject);
		});

	test("sends what there is, then what comes, and ends with its reader", async () => {
		const { answer, text, close } = await opened();
		expect(answer.headers).toMatchObject({
			"content-type": "text/event-stream; charset=utf-8",
			"cache-control": "no-store",
			"x-accel-buffering": "no",
		});
		await vi.waitFor(() => expect(text()).toBe(`retry: 1500\n\n${step(1)}${step(2)}${step(3)}`));
		source.add({ seq: 4, event: "step", data: { seq: 4, text: "ä\nb" } });
		await vi.waitFor(() => expect(text()).toContain(step(4)));
		expect(source.ended).toBe(0);
		close();
		await vi.waitFor(() => expect(source.ended).toBe(1));
	});

	test("goes on after the last event that was seen; nonsense counts as none seen", async () => {
		const { text, close } = await opened({ "last-event-id": "2" });
		await vi.waitFor(() => expect(text()).toBe(`retry: 1500\n\n${step(3)}`));
		close();
		for (const seen of ["", "x", "-1", "1e3", "99999999999999999999"])
			(await opened({ "last-event-id": seen })).close();
		expect(source.asked).toEqual([2, ...Array(5).fill(undefined)]);
	});

	test("gives a sign of life while nothing happens", async () => {
		beat = 10;
		const { text, close } = await opened();
		await vi.waitFor(() => expect(text()).toMatch(/(?::\n\n){3}/));
		close();
	});

	test("ends when the session is over", async () => {
		beat = 10;
		const { answer, text } = await opened();
		await vi.waitFor(() => expect(text()).toContain(step(3)));
		const ended = new Promise((resolve) => answer.on("end", resolve));
		valid = false;
		await ended;
		expect(source.ended).toBe(1);
	});

	test("keeps nothing open for HEAD", async () => {
		const answer = await fetch(`http://127.0.0.1:${port}/events`, { method: "HEAD" });
		expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
			200,
			"text/event-stream; charset=utf-8",
			"",
		]);
		expect(source.asked).toEqual([]);
	});

	test("asks for no more events while its reader is behind, and drops one that stays so", async () => {
		let given = 0;
		let ended = false;
		const flood: EventSource = async function* (_, signal) {
			try {
				while (!signal.aborted) yield { seq: ++given, event: "step", data: "x".repeat(100_000) };
			} finally {
				ended = true;
			}
		};
		app.get("/flood", (c) => eventStream(c, flood, { beat: 100, patience: 1000 }));
		const socket: Socket = connect(port, "127.0.0.1");
		socket.pause().write("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
		let before = -1;
		await vi.waitFor(
			() => {
				const same = given === before;
				before = given;
				expect(given > 0 && same).toBe(true);
			},
			{ interval: 200, timeout: 10_000 },
		);
		expect(given).toBeLessThan(1000);
		await vi.waitFor(() => expect(ended).toBe(true), { timeout: 10_000 });
		socket.destroy();
	});

	test("a source that breaks ends the stream, and the reader comes back", async () => {
		app.get("/broken", (c) =>
			eventStream(c, async function* () {
				yield { seq: 1, event: "step", data: 1 };
				throw new Error("no");
			}),
		);
		const text = await (await fetch(`http://127.0.0.1:${port}/broken`)).text();
		expect(text).toBe("retry: 2000\n\nid: 1\nevent: step\ndata: 1\n\n");
	});
});

describe("without a server", () => {
	test("sends what there is, then what comes, and ends with its reader", async () => {
		const answer = await app.request("/events", { headers: { "last-event-id": "2" } });
		const reader = (answer.body as ReadableStream<Uint8Array<ArrayBuffer>>)
			.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
			.getReader();
		let text = "";
		while (!text.endsWith(step(3))) text += (await reader.read()).value;
		expect(text).toBe(`retry: 1500\n\n${step(3)}`);
		source.add({ seq: 4, event: "step", data: { seq: 4, text: "ä\nb" } });
		expect((await reader.read()).value).toBe(step(4));
		await reader.cancel();
		await vi.waitFor(() => expect(source.ended).toBe(1));
	});

	test("ends when the session is over", async () => {
		beat = 10;
		const answer = await app.request("/events");
		valid = false;
		expect(await answer.text()).toContain(step(3));
	});

	test("ends when there are no more events", async () => {
		app.get("/few", (c) =>
			eventStream(c, async function* () {
				yield { seq: 1, event: "job", data: {} };
			}),
		);
		expect(await (await app.request("/few")).text()).toBe("retry: 2000\n\nid: 1\nevent: job\ndata: {}\n\n");
	});
});
