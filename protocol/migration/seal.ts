/**
 * Sealing what moves: to a key pair that the target makes for one session and forgets at its end.
 *
 * ## A sealed stream
 * The answer to a request for pieces; node/transfer/ writes and reads it. It begins with a key made for this answer alone,
 * 32 bytes, sealed to the session's public key. The answer's header `fediversity-stream: sealed;key=:<base64>:` holds the
 * SHA-256 of the sealed key and is signed (signature.ts), so whatever opens with the key comes from the source.
 *
 * | bytes | what |
 * |---|---|
 * | 2 | big-endian: n, the length of the sealed key, which is 80 |
 * | n | the sealed key |
 *
 * Then one frame or more:
 *
 * | bytes | what |
 * |---|---|
 * | 4 | big-endian: bit 31 is set in the last frame and in no other; the other bits are n, at most 2 MiB |
 * | n | ciphertext |
 * | 16 | tag |
 *
 * Each frame is AES-256-GCM under the stream's key, with
 * - nonce, 12 bytes: 5 zero bytes, the frame's number (0, 1, 2 …) as 6 bytes, big-endian, and 1 byte that is 1 in the last frame and else 0;
 * - additional data: SHA-256 of the text `fediversity pieces 1`, a line feed, the sid, a line feed, and the SHA-256 of the
 *   request's body, base64url. The request names its listing and begins with random bytes, so no stream answers two requests.
 *
 * A stream that ends before a last frame was cut off: what came in whole frames is good, the rest is asked for again.
 * Bytes after the last frame, a frame too long, a tag that does not fit: the stream is broken, and nothing of that frame is used.
 *
 * The plaintext of a frame is any number of whole records, also none:
 *
 * | bytes | what |
 * |---|---|
 * | 4 | big-endian: which of the pieces asked for it is, from 0 |
 * | 4 | big-endian: its length, at most 256 KiB |
 * | … | the piece |
 *
 * Pieces that are left out are not there any more. Who receives a piece checks its name (BLAKE3) before using it.
 */
import { Problem } from "../problem.ts";
import { fromBase64url, toBase64, toBase64url, utf8 } from "./bytes.ts";
import { canonical, fromCanonical, sha256 } from "./canonical.ts";

/** X25519 keys, base64url. */
export interface SealPair {
	/** `sealTo` in the target's `accept`. */
	readonly publicKey: string;
	readonly privateKey: string;
}

/** A pair for a new session. */
export async function newSealPair(): Promise<SealPair> {
	const sodium = await loaded();
	const { publicKey, privateKey } = sodium.crypto_box_keypair();
	return { publicKey: toBase64url(publicKey), privateKey: toBase64url(privateKey) };
}

/** Libsodium's sealed box (`crypto_box_seal`), base64url: only the pair's owner can open it, and anybody could have made it. */
export async function sealTo(publicKey: string, bytes: Uint8Array): Promise<string> {
	const sodium = await loaded();
	return toBase64url(sodium.crypto_box_seal(bytes, fromBase64url(publicKey)));
}

/** Throws a Problem `sealed-wrong` for what was not sealed to this pair. */
export async function openSealed(pair: SealPair, sealed: string): Promise<Uint8Array> {
	const sodium = await loaded();
	try {
		const [publicKey, privateKey] = [fromBase64url(pair.publicKey), fromBase64url(pair.privateKey)];
		return sodium.crypto_box_seal_open(fromBase64url(sealed), publicKey, privateKey);
	} catch (cause) {
		throw new Problem("sealed-wrong", {}, { cause });
	}
}

/** Secrets of all services by name, such as `snac/password`, for `move`: their canonical JSON, sealed. */
export async function sealSecrets(publicKey: string, secrets: Readonly<Record<string, string>>): Promise<string> {
	return sealTo(publicKey, utf8(canonical(secrets)));
}

/** Throws a Problem `sealed-wrong` for what was not sealed to this pair, or is no list of secrets. */
export async function openSecrets(pair: SealPair, sealed: string): Promise<Record<string, string>> {
	const bytes = await openSealed(pair, sealed);
	try {
		const secrets = fromCanonical(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
		if (isSecrets(secrets)) return secrets;
	} catch (cause) {
		throw new Problem("sealed-wrong", {}, { cause });
	}
	throw new Problem("sealed-wrong");
}

function isSecrets(value: unknown): value is Record<string, string> {
	if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
	return Object.values(value).every((secret) => typeof secret === "string");
}

/** What a sealed stream begins with. */
export interface StreamKey {
	/** 32 bytes, for AES-256-GCM. */
	readonly key: Uint8Array;
	/** The same key, sealed to the session: the stream's first bytes. */
	readonly sealed: Uint8Array;
	/** Value of the answer's header `fediversity-stream`; see `streamHeader` in signature.ts. */
	readonly header: string;
}

/** A new key for one stream. */
export async function newStreamKey(publicKey: string): Promise<StreamKey> {
	const key = crypto.getRandomValues(new Uint8Array(32));
	const sealed = fromBase64url(await sealTo(publicKey, key));
	return { key, sealed, header: headerOf(sealed) };
}

/**
 * The key of a sealed stream. Throws a Problem `sealed-wrong` when it is not the one that the answer's signed header
 * stands for, or was not sealed to this pair.
 */
export async function openStreamKey(pair: SealPair, sealed: Uint8Array, header: string): Promise<Uint8Array> {
	if (header !== headerOf(sealed)) throw new Problem("sealed-wrong");
	const key = await openSealed(pair, toBase64url(sealed));
	if (key.length !== 32) throw new Problem("sealed-wrong");
	return key;
}

function headerOf(sealed: Uint8Array): string {
	return `sealed;key=:${toBase64(sha256(sealed))}:`;
}

/** Takes long to load, and most runs of a node seal nothing. */
async function loaded() {
	const { default: sodium } = await import("libsodium-wrappers");
	await sodium.ready;
	return sodium;
}
