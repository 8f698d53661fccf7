/**
 * Sealing what moves: to a key pair that the target makes for one session and forgets at its end.
 *
 * ## A sealed stream
 * The answer to a request for pieces. Its header `fediversity-stream: sealed;key=:<base64>:` holds a key made for this
 * answer alone, 32 bytes, sealed to the session's public key by `newStreamKey`. The answer's signature covers this header
 * (signature.ts), so whatever opens with the key comes from the source. The body is one frame or more:
 *
 * | bytes | what |
 * |---|---|
 * | 4 | big-endian: bit 31 is set in the last frame and in no other; the other bits are n, the length of the ciphertext, at most 4 MiB |
 * | n | ciphertext |
 * | 16 | tag |
 *
 * Frames are numbered 0, 1, 2 …; each is AES-256-GCM under the stream's key, with
 * - nonce, 12 bytes: 4 zero bytes, then the frame's number as 8 bytes, big-endian;
 * - additional data, 74 bytes: the sid (22 ASCII characters), the digest of the manifest that the pieces belong to
 *   (43 ASCII characters), the frame's number as 8 bytes, big-endian, and 1 byte that is 1 in the last frame and else 0.
 *
 * A stream that ends without a last frame was cut off: what came in whole frames is good, the rest is asked for again.
 * Bytes after the last frame, a frame too long, or a tag that does not fit: the stream is broken, and nothing of that frame is used.
 *
 * The plaintext of a frame is any number of whole records, also none; a record never continues in the next frame:
 *
 * | bytes | what |
 * |---|---|
 * | 4 | big-endian: which piece of the request's list it is, from 0; each record's is greater than that of the one before |
 * | 4 | big-endian: its length, at most 256 KiB |
 * | … | the piece |
 *
 * Pieces that are left out are not there any more. Who receives a piece checks its SHA-256 before using it.
 */
import { Problem } from "../problem.ts";
import { fromBase64, fromBase64url, toBase64, toBase64url, utf8 } from "./bytes.ts";
import { canonical, fromCanonical } from "./canonical.ts";

/** Figures of the sealed stream, in bytes. */
export const streamLimits = { frame: 4 * 1024 * 1024, tag: 16, key: 32, additionalData: 74 } as const;

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

/** What the source begins a sealed stream with: a new key, and the value of the header `fediversity-stream` that carries it. */
export async function newStreamKey(publicKey: string): Promise<{ key: Uint8Array; header: string }> {
	const key = crypto.getRandomValues(new Uint8Array(streamLimits.key));
	return { key, header: `sealed;key=:${toBase64(fromBase64url(await sealTo(publicKey, key)))}:` };
}

/** The key of a sealed stream, from its header. Throws a Problem `sealed-wrong`. */
export async function openStreamKey(pair: SealPair, header: string): Promise<Uint8Array> {
	const [, sealed] = /^sealed;key=:([\w+/=]{108}):$/.exec(header) ?? [];
	if (sealed === undefined) throw new Problem("sealed-wrong");
	const key = await openSealed(pair, asBase64url(sealed));
	if (key.length !== streamLimits.key) throw new Problem("sealed-wrong");
	return key;
}

function asBase64url(base64: string): string {
	try {
		return toBase64url(fromBase64(base64));
	} catch {
		return "";
	}
}

/** Takes long to load, and most runs of a node seal nothing. */
async function loaded() {
	const { default: sodium } = await import("libsodium-wrappers");
	await sodium.ready;
	return sodium;
}
