import type { IncomingHttpHeaders } from "node:http";

/** Headers for one connection only (RFC 9110, 7.6.1), and those that node:http or undici answer for themselves. */
export const hopByHop = new Set([
	"connection",
	"expect",
	"http2-settings",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);

/** What a Connection header often says, and what frames a message and so cannot be taken out of it. */
const neverRemoved = new Set(["", "close", "keep-alive", "upgrade", "host", "content-length"]);

/** A flat list of headers without those that its Connection header names. */
export function withoutNamed(headers: string[], connection: string): string[] {
	if (connection === "keep-alive" || connection === "close") return headers;
	const named = connection
		.toLowerCase()
		.split(",")
		.map((name) => name.trim())
		.filter((name) => !neverRemoved.has(name));
	if (named.length === 0) return headers;
	return headers.filter((_, at) => !named.includes(headers[at & ~1]?.toLowerCase() ?? ""));
}

/** The end-to-end headers of a service's answer, as a flat list: name, value, name, value. Names are in lower case. */
export function endToEnd(headers: IncomingHttpHeaders): string[] {
	const kept: string[] = [];
	for (const name of Object.keys(headers)) {
		const value = headers[name];
		if (value === undefined || hopByHop.has(name)) continue;
		if (typeof value === "string") kept.push(name, value);
		else for (const one of value) kept.push(name, one);
	}
	return headers.connection === undefined ? kept : withoutNamed(kept, String(headers.connection));
}
