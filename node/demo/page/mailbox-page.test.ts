import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import type { CaughtMail } from "../mailbox.ts";
import { mailRoom } from "./mailbox-page.ts";

const closing: (() => void)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

const mail = (change: Partial<CaughtMail> = {}): CaughtMail => ({
	...{ id: "m1", at: Date.UTC(2026, 10, 22, 12), from: "North <panel@north.localhost>", to: ["ada@choir.example"] },
	...{
		subject: "Your services are ready",
		text: "They are.\n\nOpen http://north.localhost:8080/d/x.",
		messageId: null,
	},
	...change,
});

async function ask(mails: CaughtMail[], path = "/", { method = "GET", language = "en" } = {}) {
	const mailbox = { list: () => mails, get: (id: string) => mails.find((one) => one.id === id) };
	const server = createServer(mailRoom({ mailbox, home: "http://localhost:8080/" })).listen(0, "127.0.0.1");
	closing.push(() => server.close());
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const options = { port, path, method, headers: { "accept-language": language } };
	const [response] = (await once(get(options).end(), "response")) as [IncomingMessage];
	return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

test("lists the mails, each a link to itself", async () => {
	const { status, body } = await ask([mail(), mail({ id: "m2", subject: "", to: ["bob@b.example", "eve@e.example"] })]);
	expect(status).toBe(200);
	expect(body).toMatch(/<a href="\/mail\/m1\?lang=en"><bdi>Your services are ready<\/bdi><\/a>/);
	expect(body).toContain("ada@choir.example");
	expect(body).toContain("bob@b.example, eve@e.example");
	expect(body).toContain("Without a subject");
	expect(body).toContain('<time datetime="2026-11-22T12:00:00.000Z">');
	expect(body).toContain("2 mails, newest first");
	expect(body).toContain('href="http://localhost:8080/"');
});

test("an empty mailbox says so", async () => {
	expect((await ask([])).body).toContain("No mail yet");
});

test("a mail has its text, with web addresses as links", async () => {
	const { status, body } = await ask([mail()], "/mail/m1");
	expect(status).toBe(200);
	expect(body).toContain("They are.\n\nOpen ");
	expect(body).toContain(
		'<a href="http://north.localhost:8080/d/x" rel="noreferrer">http://north.localhost:8080/d/x</a>.',
	);
	expect(body).toMatch(/<dd><bdi>North &lt;panel@north.localhost&gt;<\/bdi><\/dd>/);
});

test("speaks German too", async () => {
	const { body, headers } = await ask([mail()], "/", { language: "de-AT" });
	expect(body).toContain('<html lang="de">');
	expect(body).toContain("Eine Mail");
	expect(headers["content-language"]).toBe("de");
	expect((await ask([mail()], "/?lang=en", { language: "de" })).body).toContain('<html lang="en">');
	expect((await ask([], "/mail/gone?lang=de")).body).toContain("nicht mehr hier");
});

test.each(["/mail/none", "/mail/", "/mail/..%2f", "/other", "/mail/m1/x"])("nothing is at %s", async (path) => {
	expect((await ask([mail()], path)).status).toBe(404);
});

test("everything the page needs is here", async () => {
	const { body } = await ask([mail()]);
	const needed = [...body.matchAll(/(?:href|src)="(\/[\w.-]+\.\w+)"/g)].map(([, path = ""]) => path);
	expect(needed).toContain("/mailbox.css");
	for (const path of needed) expect((await ask([], path)).status).toBe(200);
	expect(body).not.toMatch(/(?:src|href)="https?:\/\/(?!localhost|north\.localhost)/);
});

test("only looks", async () => {
	expect((await ask([mail()], "/", { method: "POST" })).status).toBe(405);
	expect((await ask([mail()], "/", { method: "HEAD" })).body).toBe("");
});

describe("a hostile mail", () => {
	const evil = `</bdi></a><script>alert(1)</script><img src=x onerror="alert(2)">'"&amp;\u202e\u0000\u0007`;
	const mails = [mail({ id: "m1", from: evil, to: [evil], subject: evil, text: evil })];

	test.each(["/", "/mail/m1"])("adds no markup to %s", async (path) => {
		const tags = (body: string) => [...body.matchAll(/<(\/?\w+)/g)].map(([, tag]) => tag);
		const { body } = await ask(mails, path);
		expect(tags(body)).toEqual(tags((await ask([mail({ text: "plain" })], path)).body));
		expect(body).toContain("&lt;script&gt;");
		expect(body).not.toMatch(/<script|<img src=x|onerror="/);
	});

	test("keeps its direction and its control characters to itself", async () => {
		const { body } = await ask(mails);
		expect(body).not.toContain("\u0007");
		expect(body.indexOf("\u202e")).toBeGreaterThan(body.indexOf("<bdi>"));
		expect(body.match(/<bdi>/g)?.length).toBe(body.match(/<\/bdi>/g)?.length);
	});

	test.each([
		"javascript:alert(1)",
		"JAVASCRIPT:alert(1)//http",
		"data:text/html,<script>alert(1)</script>",
		"vbscript:x",
		"file:///etc/passwd",
		"ftp://a.example/x",
		"//evil.example/x",
		"httpx://evil.example",
	])("makes no link of %s", async (text) => {
		expect((await ask([mail({ text })], "/mail/m1")).body.match(/<div class="text">.*<a /s)).toBeNull();
	});

	test("cannot end a link's address early", async () => {
		const { body } = await ask(
			[mail({ text: `http://a.example/"onmouseover="alert(1) https://b.example/'x` })],
			"/mail/m1",
		);
		expect(body).toContain('<a href="http://a.example/" rel="noreferrer">');
		expect(body).toContain('<a href="https://b.example/" rel="noreferrer">');
		expect(body).not.toMatch(/<[^>]*onmouseover/);
	});

	test("may run, load and send nothing, whatever it adds", async () => {
		for (const path of ["/", "/mail/m1", "/mail/none"]) {
			const { headers } = await ask(mails, path);
			const policy = headers["content-security-policy"] ?? "";
			expect(policy).toContain("default-src 'none'");
			expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
			for (const part of ["form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
				expect(policy).toContain(part);
			expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
		}
	});
});
