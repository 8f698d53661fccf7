import { createPublicKey, KeyObject, sign, verify } from "node:crypto";
import { toBase64url } from "#protocol/migration/bytes.ts";
import { fromMultikey, type Signer, toMultikey, type Verifier } from "#protocol/migration/multikey.ts";
import type { Identity } from "../federation/identity.ts";

/** Under which name a node's actor publishes its Ed25519 key. */
const keyName = "multikey-2";

/** How this node signs; node:crypto is several times quicker at it than WebCrypto. */
export function signerOf(identity: Identity, actor: string): Signer & { readonly key: string } {
	const privateKey = KeyObject.from(identity.ed25519.privateKey);
	const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
	return {
		keyid: `${actor}#${keyName}`,
		key: toMultikey(Buffer.from(x, "base64url")),
		sign: (bytes) => sign(null, bytes, privateKey),
	};
}

/** Checks what another node signed. Throws `key-not-valid` for what is no Ed25519 multikey. */
export function verifierOf(keyid: string, multikey: string): Verifier {
	const x = toBase64url(fromMultikey(multikey));
	const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
	return { keyid, verify: (bytes, signature) => verify(null, bytes, key, signature) };
}
