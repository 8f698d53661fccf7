import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { afterEach, expect, test, vi } from "vitest";
import type { Letter } from "./channel.ts";
import { signed, Webhook } from "./webhook.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const now = 1_790_000_000_500;
const never = new AbortController().signal;
let server: Server | undefined;
afterEach(() => {
	server?.closeAllConnections();
	server?.close();
	server = undefined;
});

async function listen(started: Server): Promise<string> {
	server = started.listen(0, "127.0.0.1");
	await once(started, "listening");
	return `http://localhost:${(started.address() as AddressInfo).port}/hook?k=1`;
}
const answering = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
	listen(createServer(answer));
const status = (code: number, headers = {}) =>
	answering((_, response) => response.writeHead(code, headers).end("the body is nobody's business"));

const webhook = (privateToo = true) =>
	new Webhook({ panel: "https://north.example", secretOf: async () => secret, privateToo, now: () => now });
const letter = (target: string): Letter => ({
	...{ id: "delivery", target, customer: { id: "c", language: "de" }, notice: "notice-1", kind: "deploy-done" },
	...{ params: { domain: "choir.example" }, link: "/d/choir.example", at: 1_790_000_000_000 },
});

test("signs as Standard Webhooks' own example does", () => {
	const headers = signed(
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"msg_p5jXN8AQM9LWM0D4loKWxJek",
		1_614_265_330_999,
		'{"test": 2432232314}',
	);
	expect(headers).toMatchObject({
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	});
});

test("posts the notice, signed, the same each time", async () => {
	const got: { request: IncomingMessage; body: string }[] = [];
	const address = await answering(async (request, response) => {
		got.push({ request, body: await text(request) });
		response.writeHead(204).end();
	});
	const hook = webhook();
	await hook.send(letter(address), never);
	await hook.send(letter(address), never);
	const [first, second] = got;
	if (!first || !second) throw new Error("Nothing came");
	expect(JSON.parse(first.body)).toEqual({
		type: "deploy-done",
		timestamp: new Date(1_790_000_000_000).toISOString(),
		data: {
			id: "notice-1",
			text: "Your services under choir.example are ready",
			params: { domain: "choir.example" },
			link: "https://north.example/d/choir.example",
		},
	});
	const headers = signed(secret, "notice-1", now, first.body);
	expect(first.request).toMatchObject({ method: "POST", url: "/hook?k=1", headers });
	expect(second.body).toBe(first.body);
	expect(second.request.headers["webhook-id"]).toBe("notice-1");
});

test.each([300, 301, 302, 307, 308, 400, 404, 429, 500, 503])("an answer of %i is tried again", async (code) => {
	const address = await status(code, { location: "http://127.0.0.1:1/elsewhere" });
	await expect(webhook().send(letter(address), never)).rejects.toMatchObject({
		message: `It answered ${code}`,
		final: false,
	});
});

test("gone is for good", async () => {
	await expect(webhook().send(letter(await status(410)), never)).rejects.toMatchObject({ final: true });
});

test("a redirect is not followed", async () => {
	let asked = 0;
	const address = await answering((_, response) => {
		asked++;
		response.writeHead(307, { location: "/again" }).end();
	});
	await expect(webhook().send(letter(address), never)).rejects.toThrow("It answered 307");
	expect(asked).toBe(1);
});

test("an answer without end is not read to its end", async () => {
	let gone: Promise<unknown> | undefined;
	const address = await answering((_, response) => {
		gone = once(response, "close");
		response.writeHead(200);
		const flood = () => {
			while (response.write("x".repeat(65_536)));
			response.once("drain", flood);
		};
		flood();
	});
	const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValueOnce(never);
	await webhook().send(letter(address), never);
	await gone;
	timeout.mockRestore();
});

test("headers without end are refused", async () => {
	const address = await status(
		200,
		Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`x-${n}`, "y".repeat(1000)])),
	);
	await expect(webhook().send(letter(address), never)).rejects.toThrow("The connection broke");
});

test("a server that says nothing is left when time is up", async () => {
	const arrived = Promise.withResolvers<void>();
	const address = await answering(() => arrived.resolve());
	const stop = new AbortController();
	const sending = webhook().send(letter(address), stop.signal);
	await arrived.promise;
	stop.abort(new DOMException("", "TimeoutError"));
	await expect(sending).rejects.toThrow("It did not answer within 10 seconds");
});

test("ten seconds are enough for a webhook, whatever the caller would wait", async () => {
	const clock = new AbortController();
	const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValueOnce(clock.signal);
	const address = await answering(() => clock.abort(new DOMException("", "TimeoutError")));
	await expect(webhook().send(letter(address), never)).rejects.toThrow("It did not answer within 10 seconds");
	expect(timeout).toHaveBeenCalledExactlyOnceWith(10_000);
	timeout.mockRestore();
});

test("a name that leads to this machine is not connected to", async () => {
	let asked = 0;
	const address = await listen(createServer(() => asked++).on("connection", () => asked++));
	await expect(webhook(false).send(letter(address), never)).rejects.toMatchObject({
		message: "Its address is not public",
		final: false,
	});
	expect(asked).toBe(0);
});

test("a certificate that nobody vouches for is not accepted", async () => {
	vi.spyOn(console, "error").mockImplementationOnce(() => {}); // It warns that its own certificate is no secret.
	const tls = new SMTPServer({ secure: true });
	tls.on("error", () => {});
	await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve));
	const { port } = tls.server.address() as AddressInfo;
	await expect(webhook().send(letter(`https://localhost:${port}/`), never)).rejects.toThrow(
		"Its certificate is not valid",
	);
	await new Promise<void>((resolve) => tls.close(resolve));
});

test.each([
	["http://localhost:1/", "It refuses connections"],
	["http://no.such.name.invalid/", "Its name was not found"],
])("%s: %s", async (address, reason) => {
	await expect(webhook().send(letter(address), never)).rejects.toThrow(reason);
});

test("without a secret nothing is sent, and nothing is tried again", async () => {
	const hook = new Webhook({ panel: "https://north.example", secretOf: async () => undefined, privateToo: true });
	await expect(hook.send(letter("http://localhost:1/"), never)).rejects.toMatchObject({ final: true });
});
