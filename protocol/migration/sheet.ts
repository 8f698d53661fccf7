/**
 * A provider's offer sheet: what it offers to who wants to move in, signed by its node's actor, at `<origin>/migrate/sheet`.
 * Nodes hand on each other's sheets unchanged; whoever gets one checks it by the key of the actor at its origin.
 */
import { z } from "zod";
import { Problem } from "../problem.ts";
import { utf8 } from "./bytes.ts";
import { canonical, digest } from "./canonical.ts";
import { fromMoment, Moment, toMoment } from "./moment.ts";
import type { Signer, Verifier } from "./multikey.ts";
import { addProof, documentContext, Proof, verifyProof } from "./proof.ts";
import { fit, read } from "./strict.ts";

export const sheetMediaType = "application/vnd.fediversity.offer-sheet+json";

/** Characters of a sheet as it is sent. */
export const largestSheet = 64 * 1024;

/** For how long a sheet is good, in ms: seven days, and never more than 31. */
export const sheetLifetime = 7 * 24 * 60 * 60 * 1000;
const longestLifetime = 31 * 24 * 60 * 60 * 1000;

/** Clocks of two nodes may be this far apart, in ms. */
const clocksApart = 10 * 60 * 1000;

const Words = z.string().min(1).max(300);
const Sentences = z.string().min(1).max(2000);

export const Sheet = z.strictObject({
	/** The provider's, as people know it. */
	name: Words,
	/** Where the machines are, such as `Leipzig, Germany`. */
	place: Words.nullable(),
	/** By which law it is run, such as `Germany (EU)`. */
	jurisdiction: Words.nullable(),
	/** How services run there: `local`, `nixops4`. */
	engine: z.string().max(40),
	/** Of the node's software. */
	version: z.string().max(100),
	services: z.array(z.strictObject({ name: z.string().max(40), title: Words, version: Words.nullable() })).max(64),
	price: Sentences.nullable(),
	/** What a deployment may hold, bytes; null: agreed case by case. */
	limits: z.strictObject({ bytes: z.int().nonnegative().nullable() }),
	/** What is backed up, how often, and for how long it is kept. */
	backups: Sentences.nullable(),
	/** Room left on the node, bytes; null: not told. */
	freeBytes: z.int().nonnegative().nullable(),
	terms: z
		.url({ protocol: /^https?$/ })
		.max(300)
		.nullable(),
	/** From whom deployments are taken: from any provider, from those it knows, from none. */
	accepts: z.enum(["all", "known", "none"]),
	/** What moving away costs and takes (Data Act, Regulation (EU) 2023/2854, articles 25 to 29). */
	exit: z.strictObject({
		noticeDays: z.int().nonnegative().nullable(),
		charge: Sentences.nullable(),
		/** Days the old copy is kept. */
		keepDays: z.int().nonnegative(),
	}),
});

export type Sheet = z.infer<typeof Sheet>;

const Document = z.strictObject({
	"@context": z.tuple([z.literal(documentContext[0]), z.literal(documentContext[1])]),
	id: z.string().max(300),
	type: z.literal("Document"),
	attributedTo: z.url({ protocol: /^https?$/ }).max(300),
	published: Moment,
	mediaType: z.literal(sheetMediaType),
	content: z.string().max(largestSheet),
	proof: Proof.extend({ expires: Moment }),
});

/** A sheet with whose it is. Times in ms. */
export interface SignedSheet {
	/** The node's. */
	readonly actor: string;
	readonly sheet: Sheet;
	readonly published: number;
	readonly expires: number;
	/** What to serve and to hand on. */
	readonly text: string;
	/** SHA-256 of the text, base64url. */
	readonly digest: string;
}

/** Throws a Problem `sheet-not-valid` for what no peer would take. */
export async function signSheet(actor: string, sheet: Sheet, signer: Signer, now: number): Promise<SignedSheet> {
	const published = toMoment(now);
	const document = {
		"@context": [...documentContext],
		id: sheetId(actor),
		type: "Document",
		attributedTo: actor,
		published,
		mediaType: sheetMediaType,
		content: canonical(fit(Sheet, sheet, refused)),
	};
	const signed = await addProof(document, signer, { created: now, expires: now + sheetLifetime });
	const expires = fromMoment(signed.proof.expires ?? published);
	const text = canonical(signed);
	return { actor, sheet, published: fromMoment(published), expires, text, digest: digest(utf8(text)) };
}

/** Whose sheet this says it is, to find the key to check it by. Throws a Problem `sheet-not-valid`. */
export function actorOfSheet(text: string): string {
	return documentIn(text).attributedTo;
}

/** Checks a sheet by the key of its actor. Throws the Problems `sheet-not-valid`, also for one whose time is over, and `proof-wrong`. */
export async function verifySheet(text: string, verifier: Verifier, now: number): Promise<SignedSheet> {
	const document = documentIn(text);
	const { attributedTo: actor, proof } = document;
	const [published, expires] = [fromMoment(document.published), fromMoment(proof.expires)];
	if (published > now + clocksApart || expires < now - clocksApart) throw refused("it is not of now");
	if (expires - published > longestLifetime) throw refused("it would be good for too long");
	await verifyProof(document, verifier);
	return { actor, sheet: read(Sheet, document.content, refused), published, expires, text, digest: digest(utf8(text)) };
}

function documentIn(text: string): z.infer<typeof Document> {
	if (text.length > largestSheet) throw refused("it is too large");
	const document = read(Document, text, refused);
	const { id, attributedTo, published, proof } = document;
	if (id !== sheetId(attributedTo)) throw refused("its id is not what it must be");
	if (!proof.verificationMethod.startsWith(`${attributedTo}#`)) throw refused("its key is not its actor's");
	if (proof.created !== published) throw refused("it was signed at another time than published");
	return document;
}

function sheetId(actor: string): string {
	return `${new URL(actor).origin}/migrate/sheet`;
}

function refused(why: string): Problem {
	return new Problem("sheet-not-valid", { why });
}
