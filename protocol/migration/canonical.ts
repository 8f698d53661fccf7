/** JSON with one spelling for one value (RFC 8785), so that two nodes hash and sign the same bytes. */
import { sha256 as hash } from "@noble/hashes/sha2.js";
import { type Bytes, toBase64url, utf8 } from "./bytes.ts";

/** Deeper than anything we say; a peer's brackets must not reach the end of the stack. */
const deepest = 32;

/**
 * The canonical JSON of plain data; members that are undefined are left out. Throws a TypeError for what JSON cannot say
 * (NaN, undefined in a list, half a surrogate pair, objects with a class) and for more than 32 levels.
 */
export function canonical(value: unknown, depth = 0): string {
	if (depth > deepest) throw new TypeError("nested too deep");
	if (typeof value === "string" && value.isWellFormed()) return JSON.stringify(value);
	if (value === null || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))
		return JSON.stringify(value);
	if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(",")}]`;
	if (!isPlain(value)) throw new TypeError(`JSON has no ${typeof value} like this`);
	// Names in order of their UTF-16 units, which is how `sort` compares.
	const names = Object.keys(value).filter((name) => value[name] !== undefined);
	const members = names.sort().map((name) => `${canonical(name, depth + 1)}:${canonical(value[name], depth + 1)}`);
	return `{${members.join(",")}}`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
	if (typeof value !== "object" || value === null) return false;
	const prototype = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

/**
 * Reads canonical JSON and nothing else: throws a SyntaxError or TypeError for spaces, names in another order or twice,
 * numbers and letters written differently. So nobody can be shown one document and made to sign another.
 */
export function fromCanonical(text: string): unknown {
	const value: unknown = JSON.parse(text);
	if (canonical(value) !== text) throw new SyntaxError("not canonical JSON");
	return value;
}

export function sha256(bytes: Uint8Array): Bytes {
	return hash(bytes) as Bytes;
}

/** SHA-256, base64url: of bytes as they are, of anything else as its canonical JSON. */
export function digest(value: unknown): string {
	return toBase64url(sha256(value instanceof Uint8Array ? value : utf8(canonical(value))));
}
