/** How bytes and values are written (section 2), by nothing but Node itself. */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Members = Record<string, Json>;

export class Refused extends Error {}

export function refuse(why: string): never {
	throw new Refused(why);
}

export const sha256 = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();

export function fromBase64url(text: string): Buffer {
	const bytes = Buffer.from(text, "base64url");
	return bytes.toString("base64url") === text ? bytes : refuse("not base64url in its one spelling");
}

export function fromBase64(text: string): Buffer {
	const bytes = Buffer.from(text, "base64");
	return bytes.toString("base64") === text ? bytes : refuse("not base64 in its one spelling");
}

/** RFC 8785: ECMAScript already writes numbers and texts as it says. */
export function canonical(value: Json, depth = 0): string {
	if (depth > 32) refuse("more than 32 levels");
	if (typeof value === "string" && !value.isWellFormed()) refuse("half a surrogate pair");
	if (value === null || typeof value !== "object") return JSON.stringify(value);
	if (Array.isArray(value)) return `[${value.map((one) => canonical(one, depth + 1)).join()}]`;
	const names = Object.keys(value).sort();
	return `{${names.map((name) => `${canonical(name)}:${canonical(value[name] ?? null, depth + 1)}`).join()}}`;
}

export function fromCanonical(text: string): Json {
	let value: Json;
	try {
		value = JSON.parse(text) as Json;
	} catch {
		return refuse("not JSON");
	}
	return canonical(value) === text ? value : refuse("not canonical JSON");
}

export const digest = (value: Json): string => sha256(canonical(value)).toString("base64url");

const letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Base58btc behind its `z`. */
export function fromMultibase(text: string): Buffer {
	if (!/^z[1-9A-HJ-NP-Za-km-z]+$/.test(text)) refuse("not base58btc");
	let number = 0n;
	for (const letter of text.slice(1)) number = number * 58n + BigInt(letters.indexOf(letter));
	const hex = number === 0n ? "" : number.toString(16);
	const zeros = /^1*/.exec(text.slice(1))?.[0].length ?? 0;
	return Buffer.from("00".repeat(zeros) + (hex.length % 2 ? "0" : "") + hex, "hex");
}

/** The 32 bytes of a Multikey. */
export function fromMultikey(text: string): Buffer {
	const bytes = fromMultibase(text);
	return bytes.length === 34 && bytes[0] === 0xed && bytes[1] === 0x01 ? bytes.subarray(2) : refuse("no Ed25519 key");
}

const jwk = (key: string) => ({ crv: "Ed25519", kty: "OKP", x: fromMultikey(key).toString("base64url") });

export const thumbprint = (key: string): string => sha256(JSON.stringify(jwk(key))).toString("base64url");

/** Whether a signature by this Multikey holds. */
export function holds(key: string, bytes: Buffer, signature: Buffer): boolean {
	const publicKey: KeyObject = createPublicKey({ key: jwk(key), format: "jwk" });
	return verify(null, bytes, publicKey, signature);
}
