// @vitest-environment happy-dom
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fetch } from "undici";
import { afterEach, expect, test, vi } from "vitest";
import type { ServerEvent } from "./event-stream.ts";
import { Live } from "./live.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** A node that answers each connection in turn, and a page that follows it. */
async function follow(answers: Answer[], after = "4") {
	const seen: (string | undefined)[] = [];
	const server = createServer((request, response) => {
		seen.push(request.headers["last-event-id"] as string | undefined);
		(answers.shift() ?? ((_, response) => response.writeHead(204).end()))(request, response);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const heard: ServerEvent[] = [];
	const host = {
		addController: vi.fn(),
		removeController: vi.fn(),
		requestUpdate: vi.fn(),
		updateComplete: Promise.resolve(true),
	};
	const live = new Live(host, {
		href: () => "/events",
		after: () => after,
		hear: (event) => heard.push(event),
		send: ((path: string, init: object) => fetch(origin + path, init)) as never,
	});
	live.hostConnected();
	closing.push(
		() => live.hostDisconnected(),
		() => server.closeAllConnections(),
		() => new Promise((resolve) => server.close(resolve)),
	);
	return { live, heard, seen };
}

const tells =
	(...ids: number[]): Answer =>
	(_, response) => {
		response.writeHead(200, { "content-type": "text/event-stream" });
		for (const id of ids) response.write(`id: ${id}\nevent: step\ndata: {}\n\n`);
	};

const breaks =
	(answer: Answer): Answer =>
	(request, response) => {
		answer(request, response);
		setImmediate(() => setImmediate(() => response.destroy()));
	};

test("begins after what is known, and after a break goes on from the last event it heard", async () => {
	const { heard, seen, live } = await follow([breaks(tells(5, 6)), tells(7)]);
	await vi.waitFor(() => expect(heard.map(({ id }) => id)).toEqual(["5", "6", "7"]), 5000);
	expect(seen).toEqual(["4", "6"]);
	expect(live.connected).toBe(true);
});

test("says that it is not connected while nobody answers, and comes back by itself", async () => {
	const refuses: Answer = (_, response) => response.writeHead(503).end();
	const { heard, live } = await follow([refuses, tells(5)]);
	await vi.waitFor(() => expect(live.connected).toBe(false), 5000);
	await vi.waitFor(() => expect(heard).toHaveLength(1), 5000);
	expect(live.connected).toBe(true);
});

test.each([204, 401, 404])("does not come back when the node says that there is nothing more: %d", async (status) => {
	const over: Answer = (_, response) => response.writeHead(status).end(status === 204 ? undefined : "{}");
	const { live, seen } = await follow([breaks(tells(5)), over]);
	await vi.waitFor(() => expect(seen).toHaveLength(2), 5000);
	live.start();
	await new Promise((resolve) => setTimeout(resolve, 50));
	document.dispatchEvent(new Event("visibilitychange"));
	await new Promise((resolve) => setTimeout(resolve, 50));
	expect(seen).toEqual(["4", "5"]);
});

test("looks at once, without waiting for its pause, when the page is seen again", async () => {
	const refuses: Answer = (_, response) => response.writeHead(503).end();
	const { heard, seen } = await follow([refuses, refuses, refuses, tells(9)]);
	for (let looks = 1; looks < 4; looks++) {
		await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(looks), 5000);
		await new Promise((resolve) => setTimeout(resolve, 20));
		document.dispatchEvent(new Event("visibilitychange"));
	}
	await vi.waitFor(() => expect(heard).toHaveLength(1), 400);
});

test("stops when its host leaves the page", async () => {
	let left = false;
	const answer: Answer = (request, response) => {
		tells(5)(request, response);
		response.on("close", () => {
			left = true;
		});
	};
	const { live, heard } = await follow([answer]);
	await vi.waitFor(() => expect(heard).toHaveLength(1), 5000);
	live.hostDisconnected();
	await vi.waitFor(() => expect(left).toBe(true), 5000);
});
