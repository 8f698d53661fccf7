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

/** What a Connection header always says, and what frames a message and so cannot be taken out of it. */
const neverRemoved = new Set(["", "close", "keep-alive", "upgrade", "host", "content-length"]);

/** A flat list of headers without those that its Connection header names. */
export function withoutNamed(headers: string[], connection: string): string[] {
	const named = connection
		.toLowerCase()
		.split(",")
		.map((name) => name.trim())
		.filter((name) => !neverRemoved.has(name));
	if (named.length === 0) return headers;
	return headers.filter((_, at) => !named.includes(headers[at & ~1]?.toLowerCase() ?? ""));
}

/** The end-to-end headers of a service's answer, as a flat list. Takes raw headers of undici or node:http. */
export function endToEnd(raw: readonly (Buffer | string)[]): string[] {
	const kept: string[] = [];
	let connection = "";
	for (let at = 0; at < raw.length; at += 2) {
		const name = latin1(raw[at]);
		const kind = name.toLowerCase();
		if (kind === "connection") connection += `${latin1(raw[at + 1])},`;
		else if (!hopByHop.has(kind)) kept.push(name, latin1(raw[at + 1]));
	}
	return connection === "" ? kept : withoutNamed(kept, connection);
}

/** Header values are bytes; Latin-1 hands them on as they came. */
function latin1(value: Buffer | string | undefined): string {
	return typeof value === "string" ? value : (value?.toString("latin1") ?? "");
}
