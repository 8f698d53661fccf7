import type { IncomingMessage, ServerResponse } from "node:http";
import { type About, page } from "./page.ts";
import { type Language, type Matter, sentence } from "./words.ts";

/**
 * Status of each answer of the gateway's own. What comes back by itself is a 5xx with Retry-After, so that other
 * servers of the Fediverse keep their deliveries and try again; a 4xx would make them give up.
 * 421 (RFC 9110, 15.5.20): the request reached a machine that does not speak for this name.
 */
const statuses: Record<Matter, number> = {
	starting: 503,
	frozen: 503,
	stopped: 503,
	gone: 502,
	slow: 504,
	away: 503,
	round: 508,
	unknown: 421,
};

/** What there is to say about a host. `retryAfter` in seconds, 0 if it will not change by itself. */
export interface Explanation {
	readonly matter: Matter;
	readonly retryAfter: number;
	readonly host: string;
	readonly about: About;
}

/** Answers in place of a service, in the form and language that the client asks for. */
export function answerFor(what: Explanation, request: IncomingMessage, response: ServerResponse): void {
	const wait = what.retryAfter > 0 ? Math.max(1, Math.ceil(what.retryAfter)) : 0;
	const { headers, body } = written({ ...what, retryAfter: wait }, request);
	const length = ["Content-Length", String(Buffer.byteLength(body))];
	const retry = wait > 0 ? ["Retry-After", String(wait)] : [];
	response.writeHead(statuses[what.matter], [...base, ...retry, ...headers, ...length]).end(body);
}

function written(what: Explanation, request: IncomingMessage): { headers: string[]; body: string } {
	const language = languageOf(request.headers["accept-language"]);
	const text = sentence(what.matter, what.host, language);
	switch (formOf(request)) {
		case "none":
			return { headers: [], body: "" };
		case "html": {
			const { html, policy } = page(what.matter, what.retryAfter, what.host, what.about, language);
			const headers = ["Content-Type", "text/html; charset=utf-8", "Content-Security-Policy", policy];
			return { headers: [...headers, "Content-Language", language], body: html };
		}
		case "json":
			// Mastodon's form, which the apps that people use show as it stands.
			return { headers: ["Content-Type", "application/json"], body: JSON.stringify({ error: text }) };
		case "text":
			return { headers: ["Content-Type", "text/plain; charset=utf-8"], body: `${text}\n` };
	}
}

/** A bare status for what no person sees. After a request that we do not understand, nothing on its connection can be trusted. */
export function refuse(status: number, response: ServerResponse): void {
	const ending = status === 400 ? ["Connection", "close"] : [];
	response.writeHead(status, [...base, ...ending, "Content-Length", "0"]).end();
}

const base = [
	...["Cache-Control", "no-store"],
	...["Vary", "Accept, Accept-Language"],
	...["X-Content-Type-Options", "nosniff"],
	...["Referrer-Policy", "no-referrer"],
];

/** Federation gets no body at all: the status and Retry-After say everything to a server. */
function formOf({ headers }: IncomingMessage): "none" | "html" | "json" | "text" {
	const accept = headers.accept ?? "";
	if (/\/(activity|ld)\+json/i.test(accept) || /\/(activity|ld)\+json/i.test(headers["content-type"] ?? ""))
		return "none";
	if (/text\/html/i.test(accept)) return "html";
	return /[/+]json/i.test(accept) ? "json" : "text";
}

/** German if it is wanted more than English (RFC 9110, 12.5.4), else English. */
export function languageOf(wanted: string | undefined): Language {
	const weight = (tag: string) =>
		Math.max(
			0,
			...[...(wanted ?? "").matchAll(new RegExp(`(?:^|,)\\s*${tag}\\b[^,;]*(?:;\\s*q=([\\d.]+))?`, "gi"))].map(
				([, q]) => Number(q ?? 1),
			),
		);
	return weight("de") > weight("en") ? "de" : "en";
}
