import { webcrypto } from "node:crypto";
import type { Vault } from "../secrets/vault.ts";

/** The two keys a node is known by: RSA, which all of the Fediverse reads, and Ed25519, which our own protocol signs with. */
export interface Identity {
	readonly rsa: KeyPair;
	readonly ed25519: KeyPair;
}

export type KeyPair = webcrypto.CryptoKeyPair & CryptoKeyPair;

const kinds = {
	rsa: {
		name: "RSASSA-PKCS1-v1_5",
		hash: "SHA-256",
		modulusLength: 2048,
		publicExponent: Uint8Array.of(1, 0, 1),
	},
	ed25519: { name: "Ed25519" },
} as const;

/**
 * This node's keys, made the first time they are asked for and the same ever after. They stay in the vault, as JWK
 * (RFC 7517): whoever has them speaks for this provider. Needs neither network nor Fedify.
 */
export async function identityIn(vault: Vault): Promise<Identity> {
	const [rsa, ed25519] = await Promise.all([keyPair(vault, "rsa"), keyPair(vault, "ed25519")]);
	return { rsa, ed25519 };
}

async function keyPair(vault: Vault, kind: keyof typeof kinds): Promise<KeyPair> {
	const algorithm = kinds[kind];
	const secret = await vault.obtain(`federation/${kind}`, () => newKey(algorithm));
	const jwk = JSON.parse(secret) as webcrypto.JsonWebKey;
	const { subtle } = webcrypto;
	return {
		privateKey: await subtle.importKey("jwk", jwk, algorithm, true, ["sign"]),
		publicKey: await subtle.importKey("jwk", publicPart(jwk), algorithm, true, ["verify"]),
	} as KeyPair;
}

async function newKey(algorithm: (typeof kinds)[keyof typeof kinds]): Promise<string> {
	const pair = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as KeyPair;
	const { kty, crv, n, e, d, p, q, dp, dq, qi, x } = await webcrypto.subtle.exportKey("jwk", pair.privateKey);
	return JSON.stringify({ kty, crv, n, e, d, p, q, dp, dq, qi, x });
}

/** Picked by name, so that nothing private can be left in. */
function publicPart({ kty, crv, n, e, x }: webcrypto.JsonWebKey): webcrypto.JsonWebKey {
	return JSON.parse(JSON.stringify({ kty, crv, n, e, x }));
}
