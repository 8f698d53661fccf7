/** Signed documents: FEP-8b32, which is W3C Data Integrity with the cryptosuite `eddsa-jcs-2022`. */
import { z } from "zod";
import { Problem } from "../problem.ts";
import { fromBase58, toBase58, utf8 } from "./bytes.ts";
import { canonical, sha256 } from "./canonical.ts";
import { fromMoment, Moment, toMoment } from "./moment.ts";
import type { Signer, Verifier } from "./multikey.ts";

/** Documents that carry a proof begin their `@context` with these. */
export const documentContext = [
	"https://www.w3.org/ns/activitystreams",
	"https://w3id.org/security/data-integrity/v2",
] as const;

export const Proof = z.strictObject({
	/** The same as the document's. */
	"@context": z.array(z.string().max(300)).min(1).max(8).readonly(),
	type: z.literal("DataIntegrityProof"),
	cryptosuite: z.literal("eddsa-jcs-2022"),
	/** Address of the key. */
	verificationMethod: z.string().max(300),
	proofPurpose: z.literal("assertionMethod"),
	created: Moment,
	expires: Moment.optional(),
	/** `z` and base58 of the signature's 64 bytes. */
	proofValue: z.string().max(100).regex(/^z/),
});

export type Proof = z.infer<typeof Proof>;

/** Times in ms since 1970. */
export interface ProofTimes {
	readonly created: number;
	/** From then on nobody should take the document any more. */
	readonly expires?: number | undefined;
}

interface Document {
	readonly "@context": readonly string[];
}

/** The document with its proof. The same key, document and times always give the same bytes. */
export async function addProof<D extends Document>(
	document: D,
	signer: Signer,
	{ created, expires }: ProofTimes,
): Promise<D & { proof: Proof }> {
	const configuration: Omit<Proof, "proofValue"> = {
		"@context": [...document["@context"]],
		type: "DataIntegrityProof",
		cryptosuite: "eddsa-jcs-2022",
		verificationMethod: signer.keyid,
		proofPurpose: "assertionMethod",
		created: toMoment(created),
		...(expires !== undefined && { expires: toMoment(expires) }),
	};
	const signature = await signer.sign(signed(configuration, document));
	return { ...document, proof: { ...configuration, proofValue: `z${toBase58(signature)}` } };
}

/**
 * Checks a document's one proof and answers its times, which the caller judges. Throws a Problem `proof-wrong` if it has
 * none, has members that are not ours, is by another key than the verifier's, or is not over exactly this document.
 */
export async function verifyProof(document: object, verifier: Verifier): Promise<Required<ProofTimes>> {
	const { proof: given, ...unsigned } = document as Document & { proof?: unknown };
	const { data: proof } = Proof.safeParse(given);
	if (!proof) throw new Problem("proof-wrong", { why: "its proof is missing or of another kind" });
	if (proof.verificationMethod !== verifier.keyid)
		throw new Problem("proof-wrong", { why: `${verifier.keyid} was to sign it` });
	if (canonical(proof["@context"]) !== canonical(unsigned["@context"]))
		throw new Problem("proof-wrong", { why: "the proof is for another context" });
	const { proofValue, ...configuration } = proof;
	if (!(await verifier.verify(signed(configuration, unsigned), signatureIn(proofValue))))
		throw new Problem("proof-wrong", { why: "the document or its proof was changed" });
	const { created, expires } = configuration;
	return { created: fromMoment(created), expires: expires === undefined ? undefined : fromMoment(expires) };
}

/** What is signed: both hashes in a row (vc-di-eddsa §3.3.4). */
function signed(configuration: object, document: object): Uint8Array {
	return Uint8Array.of(...sha256(utf8(canonical(configuration))), ...sha256(utf8(canonical(document))));
}

function signatureIn(proofValue: string): Uint8Array {
	try {
		const signature = fromBase58(proofValue.slice(1));
		if (signature.length === 64) return signature;
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	throw new Problem("proof-wrong", { why: "its signature is not 64 bytes" });
}
