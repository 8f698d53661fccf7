/**
 * The token that the new provider shows and the customer pastes at the old one, and how the old node proves that it has it.
 *
 * `https://south.example/migrate/<sid>#v1.<secret>.<thumbprint>.<check>`: the session's address, the secret (32 bytes),
 * the thumbprint of the new node's key and, as a guard against slips, the first six characters of the digest of all before.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as sha256Hash } from "@noble/hashes/sha2.js";
import { Problem } from "../problem.ts";
import { fromBase64url, same, toBase64url, utf8 } from "./bytes.ts";
import { canonical, sha256 } from "./canonical.ts";
import { thumbprint } from "./multikey.ts";

export interface Token {
	/** The new node's, such as `https://south.example`. */
	readonly origin: string;
	/** Of the session: 128 random bits, base64url. */
	readonly sid: string;
	/** 256 random bits, base64url. Never kept at the new node; see `secretHash`. */
	readonly secret: string;
	/** Of the new node's key; see `thumbprint` in multikey.ts. */
	readonly thumbprint: string;
}

/** What the secret is proved for: a proof is worth nothing for another session, node or domain. */
export interface ProofSubject {
	readonly sid: string;
	/** The old node's. */
	readonly actor: string;
	readonly domain: string;
}

/** A token nobody has had before, for the node at `origin` with this key (`z6Mk…`). */
export function newToken(origin: string, multikey: string): Token {
	const random = (bytes: number) => toBase64url(crypto.getRandomValues(new Uint8Array(bytes)));
	return { origin, sid: random(16), secret: random(32), thumbprint: thumbprint(multikey) };
}

/** One line, for copying and for a QR code. */
export function printToken({ origin, sid, secret, thumbprint }: Token): string {
	const body = `${origin}/migrate/${sid}#v1.${secret}.${thumbprint}`;
	return `${body}.${check(body)}`;
}

const shape = /^(https?:\/\/[^/?#\\@]+)\/migrate\/([\w-]{22})#(v\d+)\.(.*)$/i;
const rest = /^([\w-]{43})\.([\w-]{43})\.([\w-]{6})$/;

/**
 * Reads what somebody has pasted: white space, line breaks, marks of quoting and quotation marks do no harm. Throws the
 * Problems `token-not-valid`, `token-damaged`, `token-newer` and, unless http is allowed (for loopback), `token-insecure`.
 */
export function parseToken(pasted: string, { insecure = false } = {}): Token {
	const text = pasted.length > 4000 ? "" : tidied(pasted);
	const [, address = "", sid = "", version, body = ""] = shape.exec(text) ?? [];
	if (!URL.canParse(address)) throw new Problem("token-not-valid");
	if (version !== "v1") throw new Problem("token-newer");
	const [, secret = "", thumbprint = "", given] = rest.exec(body) ?? [];
	const { origin, protocol } = new URL(address);
	const token = { origin, sid, secret, thumbprint };
	if (printToken(token) !== `${origin}/migrate/${sid}#v1.${body}` || given === undefined)
		throw new Problem("token-damaged");
	if ([sid, secret, thumbprint].some((part) => !isBase64url(part))) throw new Problem("token-damaged");
	if (protocol !== "https:" && !insecure) throw new Problem("token-insecure");
	return token;
}

/** What the new node keeps of the secret. Who reads it cannot make a proof with it. */
export function secretHash(secret: string): string {
	return toBase64url(sha256(fromBase64url(secret)));
}

/**
 * Proves the secret to who has its hash, and shows it to nobody else: as in SCRAM (RFC 5802 §3), the secret XOR
 * HMAC-SHA-256 keyed with the secret's hash, over the canonical JSON of the subject. 43 characters.
 */
export function proofFor(secret: string, subject: ProofSubject): string {
	const bytes = fromBase64url(secret);
	return toBase64url(xor(bytes, mask(sha256(bytes), subject)));
}

/** Whether the proof comes from somebody who has the secret with this hash, for this subject. */
export function proofFits(proof: string, hash: string, subject: ProofSubject): boolean {
	if (!isBase64url(proof) || proof.length !== 43) return false;
	const expected = fromBase64url(hash);
	return same(sha256(xor(fromBase64url(proof), mask(expected, subject))), expected);
}

function mask(key: Uint8Array, { sid, actor, domain }: ProofSubject): Uint8Array {
	return hmac(sha256Hash, key, utf8(canonical({ sid, actor, domain })));
}

function xor(one: Uint8Array, other: Uint8Array): Uint8Array {
	return one.map((byte, at) => byte ^ (other[at] ?? 0));
}

function check(body: string): string {
	return toBase64url(sha256(utf8(body))).slice(0, 6);
}

/** Mail programs break lines, quote with `>` and make dashes of two hyphens; people add quotation marks. */
function tidied(pasted: string): string {
	return pasted
		.replaceAll(/^[ \t]*>+/gm, "")
		.replaceAll(/[\s\u00ad\u200b-\u200f\u2060\ufeff]/g, "")
		.replaceAll(/[–—]/g, "--")
		.replaceAll(/^["'`<(„“”‘’‚«»]+|["'`>),.;„“”‘’«»]+$/g, "");
}

function isBase64url(text: string): boolean {
	try {
		return fromBase64url(text).length > 0;
	} catch {
		return false;
	}
}
