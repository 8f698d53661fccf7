/** How one setting is read: each reader takes what stands in the file or the environment and says what is wrong with it. */
import { isIP } from "node:net";

export type Read = (value: unknown) => unknown;

export interface Listen {
	host: string;
	port: number;
}

export function text(value: unknown): string {
	if (typeof value !== "string") throw new Error("must be a text in quotes");
	return value;
}

export function name(value: unknown): string {
	if (text(value).trim() === "") throw new Error("must not be empty");
	return text(value).trim();
}

export function flag(value: unknown): boolean {
	if (value === true || value === "true") return true;
	if (value === false || value === "false") return false;
	throw new Error("must be true or false");
}

export function whole(value: unknown): number {
	const number = typeof value === "string" && value !== "" ? Number(value) : value;
	if (!Number.isSafeInteger(number) || (number as number) < 1) throw new Error("must be a whole number above 0");
	return number as number;
}

export function days(value: unknown): number {
	const number = whole(value);
	if (number > 3650) throw new Error("must be at most 3650 days");
	return number;
}

export function port(value: unknown): number {
	const number = whole(value);
	if (number > 65535) throw new Error("must be a port from 1 to 65535");
	return number;
}

/** In the file a list, in the environment one text with commas. */
export function addresses(value: unknown): string[] {
	const items = typeof value === "string" ? value.split(",").flatMap((item) => item.trim() || []) : value;
	if (!Array.isArray(items)) throw new Error('must be a list such as ["192.0.2.1", "2001:db8::1"]');
	const odd = items.find((item) => typeof item !== "string" || isIP(item) === 0);
	if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} is not an IP address`);
	return items;
}

export function origin(value: unknown): string {
	const url = URL.parse(text(value));
	if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash || url.username)
		throw new Error("must be an origin such as https://north.example, without a path");
	return url.origin;
}

/** In the file a list, in the environment one text with commas. */
export function origins(value: unknown): string[] {
	const items = typeof value === "string" ? value.split(",").flatMap((item) => item.trim() || []) : value;
	if (!Array.isArray(items)) throw new Error('must be a list such as ["https://south.example"]');
	return items.map(origin);
}

/** A whole address, by TLS. */
export function secureAddress(value: unknown): string {
	const url = URL.parse(text(value));
	if (url?.protocol !== "https:" || url.username || url.hash)
		throw new Error("must be an address beginning with https://");
	return url.href;
}

/** An origin with `{host}` where the service's host name goes. */
export function originPattern(value: unknown): string {
	const pattern = text(value);
	if (!pattern.includes("{host}")) throw new Error("must have {host} in it, such as https://{host}");
	origin(pattern.replaceAll("{host}", "host.example"));
	return pattern;
}

export function link(value: unknown): string {
	const address = text(value);
	if (!address.startsWith("/") && !/^https?:$/.test(URL.parse(address)?.protocol ?? ""))
		throw new Error("must be a path beginning with / or an http(s) address");
	return address;
}

export function mailServer(value: unknown): string {
	const url = URL.parse(text(value));
	if (!url?.hostname || !/^smtps?:$/.test(url.protocol))
		throw new Error("must be an address such as smtps://user@mail.example:465");
	if (url.password)
		throw new Error("must not carry the password; put it into a file and name that in mail.password_file");
	return text(value);
}

export function colour(value: unknown): string {
	if (!/^#[0-9a-f]{6}$/i.test(text(value))) throw new Error("must be a colour such as #0a6e5c");
	return text(value);
}

export function listen(value: unknown): Listen {
	const found = /^(.*):(\d+)$/.exec(text(value));
	if (!found || Number(found[2]) > 65535) throw new Error("must be an address and a port such as 127.0.0.1:8080");
	return { host: found[1]?.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1", port: Number(found[2]) };
}

export function addressAndPort(value: unknown): string {
	if (listen(value).port === 0) throw new Error("must be an address and a port such as 127.0.0.1:53");
	return text(value);
}

export function oneOf(...choices: string[]): Read {
	return (value) => {
		if (!choices.includes(String(value))) throw new Error(`must be one of ${choices.join(", ")}`);
		return value;
	};
}

/** The known word that was probably meant: the nearest one, at most a third of its letters away. */
export function meant(word: string, known: readonly string[]): string | undefined {
	const near = known.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }));
	const best = near.sort((one, other) => one.distance - other.distance)[0];
	return best && best.distance <= Math.max(1, best.candidate.length / 3) ? best.candidate : undefined;
}

/** Letters to add, drop or exchange to get from one word to the other (Levenshtein). */
function editDistance(from: string, to: string): number {
	let row = Array.from({ length: to.length + 1 }, (_, index) => index);
	for (const [i, letter] of [...from].entries()) {
		const next = [i + 1];
		for (const [j, other] of [...to].entries()) {
			const kept = (row[j] ?? 0) + (letter === other ? 0 : 1);
			next.push(Math.min(kept, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
		}
		row = next;
	}
	return row[to.length] ?? 0;
}
