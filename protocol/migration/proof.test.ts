import { expect, test } from "vitest";
import { nodeAt, noon, north, south } from "../../test/vectors/nodes.ts";
import { fromBase58 } from "./bytes.ts";
import { fromMultikey, toMultikey, webSigner, webVerifier } from "./multikey.ts";
import { addProof, documentContext, verifyProof } from "./proof.ts";

/** Key pair of both published examples. */
const published = {
	secret: "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq",
	key: "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
	created: Date.UTC(2023, 1, 24, 23, 36, 38),
};

/** The key behind a Multikey of type 0x1300 (Ed25519 secret key). */
const signerFor = (keyid: string) => {
	const bytes = fromBase58(published.secret.slice(1));
	expect([bytes[0], bytes[1]]).toEqual([0x80, 0x26]);
	return { ...nodeAt("https://server.example", Buffer.from(bytes.subarray(2))).signer, keyid };
};

/** W3C Data Integrity EdDSA Cryptosuites v1.0, appendix B.2 "Representation: eddsa-jcs-2022". */
const credential = {
	document: {
		"@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
		id: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
		type: ["VerifiableCredential", "AlumniCredential"],
		name: "Alumni Credential",
		description: "A minimum viable example of an Alumni Credential.",
		issuer: "https://vc.example/issuers/5678",
		validFrom: "2023-01-01T00:00:00Z",
		credentialSubject: { id: "did:example:abcdefgh", alumniOf: "The School of Examples" },
	},
	keyid: `did:key:${published.key}#${published.key}`,
	hashes:
		"66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19",
	proofValue: "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX",
};

/** FEP-8b32's feature file, "Signing a document". */
const note = {
	document: {
		"@context": [...documentContext],
		id: "https://server.example/activities/1",
		type: "Create",
		actor: "https://server.example/users/alice",
		object: {
			id: "https://server.example/objects/1",
			type: "Note",
			attributedTo: "https://server.example/users/alice",
			content: "Hello world",
			location: { type: "Place", longitude: -71.184902, latitude: 25.273962 },
		},
	},
	keyid: "https://server.example/users/alice#ed25519-key",
	hashes:
		"cf63e2308ce7d1137667192c5c5e751ba7b1c6e3d5e746a7b717d309654ad1980793e8d97e2de4b989b2b2d7a5fae8cf941f102a03c0ecab00f03eaa2330c650",
	proofValue: "z42ffGu6AUKPCFcFPiabmUvnGLPJzC7e4DGWC52NUasSSH37UMa9c58tdgVszUcZfytxa4fQ5TYHaJENCxUDe9SdL",
};

test.each([
	["W3C's", credential],
	["FEP-8b32's", note],
])("%s example is signed and checked as published", async (_whose, { document, keyid, hashes, proofValue }) => {
	const signer = signerFor(keyid);
	let combined = "";
	const listening = {
		keyid,
		sign: (bytes: Uint8Array) => {
			combined = bytes.toHex();
			return signer.sign(bytes);
		},
	};
	const signed = await addProof(document, listening, { created: published.created });
	expect(combined).toBe(hashes);
	expect(signed.proof.proofValue).toBe(proofValue);
	const times = await verifyProof(signed, await webVerifier(keyid, published.key));
	expect(times).toEqual({ created: published.created, expires: undefined });
});

test("a key's Multikey goes there and back, and others are none", () => {
	const key = fromMultikey(published.key);
	expect(toMultikey(key)).toBe(published.key);
	for (const other of [
		"",
		"z",
		published.secret,
		published.key.slice(1),
		published.key.slice(0, -1),
		`z${published.key}`,
		"u7QE",
	])
		expect(() => fromMultikey(other), other).toThrow(expect.objectContaining({ code: "key-not-valid" }));
});

const document = { "@context": [...documentContext], id: "https://north.example/1", type: "Note", content: "Hello" };
const times = { created: noon, expires: noon + 60_000 };
const wrong = expect.objectContaining({ code: "proof-wrong" });

test("WebCrypto and node:crypto sign and check alike", async () => {
	const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
	const key = toMultikey(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
	const signed = await addProof(document, webSigner("https://web.example/actor#key", pair.privateKey), times);
	expect(await verifyProof(signed, await webVerifier("https://web.example/actor#key", key))).toEqual(times);
	const again = await addProof(document, north.signer, times);
	expect(await verifyProof(again, await webVerifier(north.keyid, north.key))).toEqual(times);
});

test("whatever is changed in document or proof is noticed", async () => {
	const signed = await addProof(document, north.signer, times);
	const { proof } = signed;
	const other = await addProof({ ...document, content: "Bye" }, north.signer, times);
	const changed: object[] = [
		{ ...signed, content: "Hello " },
		{ ...signed, added: 1 },
		{ ...signed, proof: undefined },
		{ ...signed, proof: [proof] },
		{ ...signed, proof: other.proof },
		{ ...signed, proof: { ...proof, created: "2026-11-22T12:00:01Z" } },
		{ ...signed, proof: { ...proof, expires: "2027-11-22T12:00:00Z" } },
		{ ...signed, proof: { ...proof, added: 1 } },
		{ ...signed, proof: { ...proof, type: "Ed25519Signature2020" } },
		{ ...signed, proof: { ...proof, cryptosuite: "eddsa-rdfc-2022" } },
		{ ...signed, proof: { ...proof, proofPurpose: "authentication" } },
		{ ...signed, proof: { ...proof, proofValue: proof.proofValue.slice(0, -1) } },
		{ ...signed, proof: { ...proof, proofValue: `z1${proof.proofValue.slice(1)}` } },
		{ ...signed, proof: { ...proof, proofValue: "z0" } },
		{ ...signed, "@context": [documentContext[0]] },
		{ ...signed, proof: { ...proof, "@context": [documentContext[0]] } },
		{ ...signed, proof: { ...proof, created: "2026-11-22T12:00:00.000Z" } },
	];
	for (const document of changed)
		await expect(verifyProof(document, north.verifier), JSON.stringify(document)).rejects.toThrow(wrong);
	await expect(verifyProof(signed, south.verifier)).rejects.toThrow(wrong);
	await expect(verifyProof(signed, { ...south.verifier, keyid: north.keyid })).rejects.toThrow(wrong);
});
