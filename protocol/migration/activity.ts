/** Messages as ActivityStreams activities: what is POSTed between the nodes, kept in both, and shown in the receipt. */
import { z } from "zod";
import { Problem } from "../problem.ts";
import { utf8 } from "./bytes.ts";
import { canonical, digest } from "./canonical.ts";
import { activityTypes, contents, type Kind, type Message, type Side } from "./messages.ts";
import { fromMoment, Moment, toMoment } from "./moment.ts";
import type { Signer, Verifier } from "./multikey.ts";
import { addProof, documentContext, Proof, verifyProof } from "./proof.ts";
import { fit, read } from "./strict.ts";

export const mediaType = "application/vnd.fediversity.migration+json";

/** Bytes of an activity: a `move` carries all secrets, the others are small. */
export const largestActivity = { move: 1_100_000, other: 256 * 1024 } as const;

/**
 * How long an activity can be delivered, in ms. Longer than any session lives: what was said once is sent until it is
 * heard, and time alone must never make it void.
 */
export const activityLifetime = 400 * 24 * 60 * 60 * 1000;

/** Clocks of two nodes may be this far apart, in ms. */
const clocksApart = 10 * 60 * 1000;

/** Where a message stands: in which session, who says it to whom, and its place in both chains. */
export interface Head {
	readonly sid: string;
	/** 1, 2, 3 … for each signer. */
	readonly seq: number;
	/** Digest of the signer's own activity before this one; null in the first. */
	readonly prev: string | null;
	/** Digest of the other side's last activity that the signer had processed; null: none yet. */
	readonly heard: string | null;
	/** Actors. */
	readonly from: string;
	readonly to: string;
	/** Ms since 1970; the wire has whole seconds. */
	readonly published: number;
}

/** An activity on its way: what it is called by, and the text to send and keep. */
export interface Activity {
	readonly document: SignedDocument;
	/** Its canonical JSON; the request's body. */
	readonly text: string;
	/** SHA-256 of the text, base64url. */
	readonly digest: string;
}

/** An activity that was read. */
export interface ReadActivity extends Activity {
	readonly head: Head;
	readonly message: Message;
}

/** What an activity must be to be read at all. */
export interface Expectation {
	readonly sid: string;
	/** Which side speaks. */
	readonly said: Side;
	readonly from: string;
	readonly to: string;
	/** Ms since 1970; null: its time does not matter any more, as in a receipt. */
	readonly now: number | null;
}

const Payload = z.strictObject({
	sid: z.string(),
	seq: z.int().positive(),
	prev: z.base64url().length(43).nullable(),
	heard: z.base64url().length(43).nullable(),
	kind: z.enum(Object.keys(contents) as [Kind, ...Kind[]]),
	content: z.unknown(),
});

const Document = z.strictObject({
	"@context": z.tuple([z.literal(documentContext[0]), z.literal(documentContext[1])]),
	id: z.string().max(500),
	type: z.enum(Object.values(activityTypes).map(({ type }) => type) as [string, ...string[]]),
	actor: z.string().max(300),
	to: z.string().max(300),
	published: Moment,
	object: z.strictObject({
		type: z.literal("Document"),
		mediaType: z.literal(mediaType),
		content: z.string().max(largestActivity.move),
	}),
	proof: Proof.extend({ expires: Moment }),
});

export type UnsignedDocument = Omit<z.infer<typeof Document>, "proof">;
export type SignedDocument = UnsignedDocument & { readonly proof: Proof };

/** A message as a document, still without its proof. Throws a Problem `activity-not-valid` for what no peer would take. */
export function writeActivity(head: Head, message: Message): UnsignedDocument {
	const { type, said } = activityTypes[message.kind];
	const { sid, seq, prev, heard, from, to, published } = head;
	const content = fit(contents[message.kind], message.content, refused);
	const payload = fit(Payload, { sid, seq, prev, heard, kind: message.kind, content }, refused);
	return {
		"@context": [...documentContext],
		id: activityId(from, sid, said, seq),
		type,
		actor: from,
		to,
		published: toMoment(published),
		object: { type: "Document", mediaType, content: canonical(payload) },
	};
}

/** A message, signed: ready to be kept and sent. The same again gives the same bytes. */
export async function signActivity(head: Head, message: Message, signer: Signer): Promise<Activity> {
	const { published } = head;
	const times = { created: published, expires: published + activityLifetime };
	const document: SignedDocument = await addProof(writeActivity(head, message), signer, times);
	const text = canonical(document);
	return { document, text, digest: digest(utf8(text)) };
}

/**
 * Reads an activity as it came, or as it was kept. Takes only canonical JSON with our members, from the expected side and
 * actor to the expected one, whose addresses agree; else throws a Problem `activity-not-valid`. The proof's signature is
 * not checked here, and the places in the chains are only read: that is for who knows the session.
 */
export function readActivity(given: string | object, expected: Expectation): ReadActivity {
	const text = typeof given === "string" ? given : written(given);
	if (text.length > largestActivity.move) throw refused("it is too large");
	const document = read(Document, text, refused);
	const payload = read(Payload, document.object.content, refused);
	const message = { kind: payload.kind, content: fit(contents[payload.kind], payload.content, refused) } as Message;
	if (payload.kind !== "move" && text.length > largestActivity.other) throw refused("it is too large");
	agree(document, payload, expected);
	if (expected.now !== null) timely(document, expected.now);
	const { sid, seq, prev, heard } = payload;
	const { actor: from, to, published } = document;
	const head = { sid, seq, prev, heard, from, to, published: fromMoment(published) };
	return { head, message, document, text, digest: digest(utf8(text)) };
}

/** Reads an activity and checks its proof. Throws the Problems `activity-not-valid` and `proof-wrong`. */
export async function verifyActivity(
	given: string | object,
	expected: Expectation,
	verifier: Verifier,
): Promise<ReadActivity> {
	const activity = readActivity(given, expected);
	await verifyProof(activity.document, verifier);
	return activity;
}

/** Where an activity is called from; nobody need be able to fetch it. */
export function activityId(actor: string, sid: string, said: Side, seq: number): string {
	return `${new URL(actor).origin}/migrate/${sid}/activities/${said}/${seq}`;
}

type Read = z.infer<typeof Document>;

function agree(document: Read, { sid, seq, kind, prev, heard }: z.infer<typeof Payload>, expected: Expectation) {
	const { type, said } = activityTypes[kind];
	const { verificationMethod, created } = document.proof;
	const first = seq === 1;
	const wrong = [
		document.actor !== expected.from && "it is from another actor",
		document.to !== expected.to && "it is for another actor",
		sid !== expected.sid && "it is of another session",
		said !== expected.said && `the ${expected.said} does not say ${kind}`,
		document.type !== type && `${kind} is not said by ${document.type}`,
		document.id !== activityId(expected.from, expected.sid, said, seq) && "its id is not what it must be",
		!verificationMethod.startsWith(`${document.actor}#`) && "its key is not its actor's",
		created !== document.published && "it was signed at another time than published",
		first !== (prev === null) && "it does not say what came before",
		heard === null && said === "target" && "it does not say what it answers",
	].find((reason) => reason !== false);
	if (wrong) throw refused(wrong);
}

function timely({ published, proof }: Read, now: number) {
	if (fromMoment(published) > now + clocksApart) throw refused("it was published in the future");
	if (fromMoment(proof.expires) < now - clocksApart) throw refused("its time is over");
	if (fromMoment(proof.expires) - fromMoment(published) > activityLifetime)
		throw refused("it would be good for too long");
}

/** What was kept as an object may come from somebody else, too: in a receipt. */
function written(document: object): string {
	try {
		return canonical(document);
	} catch {
		throw refused("it is not JSON that we use");
	}
}

function refused(why: string): Problem {
	return new Problem("activity-not-valid", { why });
}
