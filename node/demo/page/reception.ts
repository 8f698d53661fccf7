import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { languageOf } from "../../gateway/answers.ts";
import type { Language } from "../../gateway/words.ts";
import { page, type World } from "./page.ts";

export interface ReceptionParts {
	/** Names this demo, so that a second start of it recognises the first. */
	readonly id: string;
	world(): Promise<World>;
}

const root = join(import.meta.dirname, "../../..");
const typeface =
	"@fontsource-variable/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-wght-normal.woff2";

/** What the demo's pages are made of, by path. */
export const files: Record<string, readonly [type: string, file: () => string]> = {
	"/mailbox.css": ["text/css", () => join(import.meta.dirname, "mailbox.css")],
	"/page.css": ["text/css", () => join(import.meta.dirname, "page.css")],
	"/page.js": ["text/javascript", () => join(import.meta.dirname, "page.js")],
	"/tokens.css": ["text/css", () => join(root, "ui/look/tokens.css")],
	"/mark.svg": ["image/svg+xml", () => join(root, "ui/look/mark.svg")],
	"/typeface.woff2": ["font/woff2", () => createRequire(import.meta.url).resolve(typeface)],
};

/** Nothing from elsewhere, nothing inline, nothing framed. */
const policy =
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const headers = {
	"content-security-policy": policy,
	"x-content-type-options": "nosniff",
	"referrer-policy": "no-referrer",
	"cache-control": "no-store",
};

/** Answers what arrives for `localhost` itself: the demo's page and what belongs to it. */
export function reception({ id, world }: ReceptionParts) {
	return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
		const file = files[pathname];
		if (request.method !== "GET" && request.method !== "HEAD") send(response, 405, "text/plain", "Only GET\n");
		else if (file) send(response, 200, file[0], readFileSync(file[1]()));
		else if (pathname === "/demo.json") send(response, 200, "application/json", JSON.stringify({ id }));
		else if (pathname === "/") {
			const language = chosen(searchParams.get("lang")) ?? languageOf(request.headers["accept-language"]);
			response.setHeader("content-language", language).setHeader("vary", "accept-language");
			send(response, 200, "text/html", page(await world(), language));
		} else send(response, 404, "text/plain", "There is nothing here; the demo's page is at /\n");
	};
}

/** The language a link asks for. */
export function chosen(language: string | null): Language | undefined {
	return language === "de" || language === "en" ? language : undefined;
}

/** Answers with the headers that keep a page to itself. */
export function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
	const charset = /^(text|application)\//.test(type) ? "; charset=utf-8" : "";
	const length = Buffer.byteLength(body);
	response.writeHead(status, { ...headers, "content-type": type + charset, "content-length": length }).end(body);
}
