/** Ed25519 keys as actors publish them (Multikey, W3C Controlled Identifiers §2.2.2), and who signs and checks with them. */
import { Problem } from "../problem.ts";
import { type Bytes, fromBase58, toBase58, toBase64url, utf8 } from "./bytes.ts";
import { sha256 } from "./canonical.ts";

/** 0xed as a varint: an Ed25519 public key follows. */
const ed25519 = [0xed, 0x01];

/** Somebody who signs: a node's private key with its name. The node passes node:crypto's, which are quicker than WebCrypto's. */
export interface Signer {
	/** Address of the public key, such as `https://south.example/actor#multikey-2`. */
	readonly keyid: string;
	/** An Ed25519 signature (RFC 8032), 64 bytes. */
	sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A public key that is known, and trusted for what its owner says. */
export interface Verifier {
	readonly keyid: string;
	verify(bytes: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
}

/** A public key's 32 bytes as `z6Mk…`. */
export function toMultikey(key: Uint8Array): string {
	return `z${toBase58(Uint8Array.of(...ed25519, ...key))}`;
}

/** The 32 bytes of `z6Mk…`. Throws a Problem `key-not-valid` for other kinds of keys, and for what is none. */
export function fromMultikey(text: string): Bytes {
	try {
		const bytes = fromBase58(text.slice(1));
		if (text.startsWith("z") && bytes.length === 34 && ed25519.every((byte, at) => bytes[at] === byte))
			return bytes.subarray(2);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	throw new Problem("key-not-valid");
}

/** JWK thumbprint (RFC 7638, RFC 8037) of a multikey: 43 characters that stand for the key. */
export function thumbprint(multikey: string): string {
	const jwk = `{"crv":"Ed25519","kty":"OKP","x":"${toBase64url(fromMultikey(multikey))}"}`;
	return toBase64url(sha256(utf8(jwk)));
}

/** Signs with WebCrypto. */
export function webSigner(keyid: string, key: CryptoKey): Signer {
	return {
		keyid,
		sign: async (bytes) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, bytes as Bytes)),
	};
}

/** Checks with WebCrypto. Throws a Problem `key-not-valid` for what is no Ed25519 key. */
export async function webVerifier(keyid: string, multikey: string): Promise<Verifier> {
	const key = await crypto.subtle.importKey("raw", fromMultikey(multikey), "Ed25519", false, ["verify"]);
	return {
		keyid,
		verify: (bytes, signature) => crypto.subtle.verify("Ed25519", key, signature as Bytes, bytes as Bytes),
	};
}
