import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { afterwards, ask } from "../../test/loopback.ts";
import type { Destination } from "./destination.ts";
import { Gateway } from "./gateway.ts";
import { labels, words } from "./words.ts";

const about = { provider: "Nörth & <Sons>", panel: "https://north.example/?a=1&b='" };

async function answer(destination: Destination, head: string): Promise<{ head: string; body: string }> {
	const gateway = new Gateway({ find: () => destination, panel: () => {}, about, trustProxy: false });
	const port = await gateway.listen({ host: "127.0.0.1", port: 0 });
	afterwards(() => gateway.close(0));
	const text = await ask(port, head);
	const end = text.indexOf("\r\n\r\n");
	return { head: text.slice(0, end), body: Buffer.from(text.slice(end + 4), "latin1").toString() };
}

const get = "GET /@alice HTTP/1.1\nHost: social.choir.example";
const starting: Destination = { kind: "wait", why: "starting", retryAfter: 3.2 };
const unknown: Destination = { kind: "unknown" };
const html = `${get}\nAccept: text/html,application/xhtml+xml,*/*;q=0.8`;

test.each(["starting", "frozen", "stopped"] as const)("%s is 503 with Retry-After, for everybody", async (why) => {
	for (const accept of ["text/html", "application/json", "application/activity+json", "*/*"]) {
		const { head } = await answer({ kind: "wait", why, retryAfter: 3.2 }, `${get}\nAccept: ${accept}`);
		expect(head).toMatch(/^HTTP\/1.1 503 .*\r\nRetry-After: 4\r\n/s);
		expect(head).toMatch(/Cache-Control: no-store/);
	}
});

test.each([
	["a request for an actor", `${get}\nAccept: application/activity+json`],
	["a request as JSON-LD", `${get}\nAccept: application/ld+json; profile="https://www.w3.org/ns/activitystreams"`],
	["a delivery", "POST /inbox HTTP/1.1\nHost: a\nContent-Type: application/activity+json\nContent-Length: 0"],
])("other servers get no body: %s", async (_, request) => {
	const { head, body } = await answer(starting, request);
	expect(head).toMatch(/Content-Length: 0/);
	expect(head).not.toMatch(/^Content-Type/im);
	expect(body).toBe("");
});

test("apps get an error they can show, terminals a line", async () => {
	const json = await answer(starting, `${get}\nAccept: application/json`);
	expect(JSON.parse(json.body)).toEqual({ error: "social.choir.example is starting" });
	expect(json.head).toMatch(/Content-Type: application\/json/);
	const text = await answer(starting, `${get}\nAccept: */*\nAccept-Language: de`);
	expect(text.body).toBe("social.choir.example startet\n");
	expect((await answer(starting, get)).head).toMatch(/Content-Type: text\/plain; charset=utf-8/);
});

test.each([
	["de", "de"],
	["de-AT, en;q=0.8", "de"],
	["en;q=0.5, de;q=0.7", "de"],
	["en-GB, de;q=0.9", "en"],
	["fr, nl", "en"],
	["deutsch", "en"],
	["", "en"],
])("Accept-Language %s is answered in %s", async (wanted, language) => {
	const { head, body } = await answer(starting, `${html}\nAccept-Language: ${wanted}`);
	expect(head).toContain(`Content-Language: ${language}`);
	expect(body).toContain(`<html lang="${language}">`);
	expect(body).toContain(labels[language as "de"].again);
});

test("both languages say everything", () => {
	const filled = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
	for (const matter of ["starting", "frozen", "stopped", "gone", "slow", "unknown"] as const)
		for (const part of ["title", "text"] as const)
			expect(filled(words.de[matter][part])).toEqual(filled(words.en[matter][part]));
	expect(Object.keys(labels.de)).toEqual(Object.keys(labels.en));
});

test("the page runs and looks only as it was made", async () => {
	const { head, body } = await answer(starting, html);
	const policy = /Content-Security-Policy: (.*)\r/.exec(head)?.[1] ?? "";
	const hash = (tag: string) => {
		const inside = new RegExp(`<${tag}>(.*?)</${tag}>`, "s").exec(body)?.[1] ?? "";
		return `'sha256-${createHash("sha256").update(inside).digest("base64")}'`;
	};
	expect(policy.split("; ")).toEqual([
		"default-src 'none'",
		`style-src ${hash("style")}`,
		"base-uri 'none'",
		"form-action 'none'",
		`script-src ${hash("script")}`,
		"connect-src 'self'",
		"frame-ancestors 'none'",
	]);
	expect(body).not.toMatch(/ style=| on\w+=|javascript:/);
	expect(body).toMatch(/<body data-wait="4">/);
	expect(body).toMatch(/<noscript><meta http-equiv="refresh" content="4"><\/noscript>/);
});

test("an unknown host is told what was asked, what to check and where to look", async () => {
	const { head, body } = await answer(unknown, html);
	expect(head).toMatch(/^HTTP\/1.1 421 /);
	expect(head).not.toMatch(/Retry-After|script-src/);
	expect(body).toContain("<title>There is nothing at social.choir.example</title>");
	expect(body).toContain("<strong>social.choir.example</strong>");
	expect(body.match(/<li>/g)).toHaveLength(3);
	expect(body).toContain('href="https://north.example/?a=1&amp;b=&#39;"');
	expect(body).not.toMatch(/<script|refresh/);
});

test("names of others stay text", async () => {
	const { body } = await answer(unknown, html);
	expect(body).toContain("Nörth &amp; &lt;Sons&gt;");
	expect(body).not.toContain("<Sons>");
	const nameless = await answer(unknown, "GET / HTTP/1.0\nAccept: text/html");
	expect(nameless.body).toContain("There is nothing at <strong>this address</strong>");
	expect((await answer(unknown, "GET / HTTP/1.1\nHost: $&$`.example")).head).toMatch(/ 400 /);
});

test("HEAD is answered without a page, whose length it tells", async () => {
	const { head, body } = await answer(starting, html.replace("GET", "HEAD"));
	expect(head).toMatch(/Content-Length: \d{3}/);
	expect(body).toBe("");
});

test("a body that nobody wants does not disturb the next request", async () => {
	const post = "POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello";
	const { head, body } = await answer(starting, `${post}${html}`);
	expect(head).toMatch(/^HTTP\/1.1 503 /);
	expect(body).toMatch(/HTTP\/1.1 503 .*<!doctype html>/s);
});
