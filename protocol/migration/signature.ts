/**
 * Signed requests and answers: HTTP Message Signatures (RFC 9421) with Ed25519, in one strict form, and Content-Digest
 * (RFC 9530). Every request covers its method, address and body; every answer its status, its body and the request it answers.
 *
 * Nodes' clocks may be minutes apart, while a signature is good for a minute. So each answer says, signed, when it was
 * made by the answerer's clock; who asks learns from it (PeerClock) and signs the next request by that clock. A request
 * whose time does not fit is answered with the Problem `signature-untimely`, signed: the asker learns, and asks once more.
 *
 * A long stream has no digest beforehand. Its answer covers the header `fediversity-stream` instead, which says what
 * vouches for the bytes: `listing` (a part of what the address names by its hash), or `sealed;key=:…:` (see seal.ts).
 */
import { Problem } from "../problem.ts";
import { fromBase64, same, toBase64, toBase64url, utf8 } from "./bytes.ts";
import { sha256 } from "./canonical.ts";
import type { Signer, Verifier } from "./multikey.ts";

/** For how long a request is good, in seconds. */
export const requestLifetime = 60;

/** How far a clock may be off after learning, in seconds: seconds are cut off, and answers take their time. */
export const clockAllowance = 10;

/** Looks up a header, lower case, such as `(name) => request.headers[name]`. Several of the same name: joined by commas. */
export type Field = (name: string) => string | string[] | null | undefined;

export interface SentRequest {
	readonly method: string;
	/** The whole address as the answerer knows itself, such as `https://south.example/migrate/abc?from=0`. */
	readonly target: string;
	/** Empty, if there is none. */
	readonly body: Uint8Array;
}

export interface SentAnswer {
	readonly status: number;
	/** The bytes, or what `fediversity-stream` says of a stream. */
	readonly body: Uint8Array | { readonly stream: string };
}

/** Headers to send along. */
export type SignatureHeaders = Readonly<Record<string, string>>;

export const streamHeader = "fediversity-stream";

/** `signature` of the result is what the answer will be bound to. `now` in ms, by the clock of who will check it. */
export async function signRequest(request: SentRequest, signer: Signer, now: number): Promise<SignatureHeaders> {
	const created = Math.floor(now / 1000);
	const contentDigest = contentDigestOf(request.body);
	const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
	const times = `created=${created};expires=${created + requestLifetime};nonce="${nonce}"`;
	const params = `${requestParts};${times};keyid="${signer.keyid}";alg="ed25519";tag="migration"`;
	const signature = await signer.sign(requestBase(request, contentDigest, params));
	return {
		"content-digest": contentDigest,
		"signature-input": `sig=${params}`,
		signature: `sig=:${toBase64(signature)}:`,
	};
}

export interface RequestRules {
	/** The key with this id, if it may ask here. */
	verifierFor(keyid: string): Verifier | undefined | Promise<Verifier | undefined>;
	/** Ms since 1970. */
	readonly now: number;
	/** Writes the nonce down until then (ms) and answers true; false: it was there already. */
	once(keyid: string, nonce: string, until: number): boolean | Promise<boolean>;
}

/** A request whose signature holds. */
export interface VerifiedRequest {
	readonly keyid: string;
	/** When it was signed, in ms, by the clock it was signed with. */
	readonly created: number;
}

/**
 * Checks a request. Throws a Problem: `signature-wrong` for another form, an unknown key, another body or a signature
 * that does not hold; `signature-untimely`; `signature-repeated`. The nonce is only written down when all the rest holds.
 */
export async function verifyRequest(
	request: SentRequest & { readonly field: Field },
	{ verifierFor, now, once }: RequestRules,
): Promise<VerifiedRequest> {
	const input = requestInput.exec(fieldOf(request.field, "signature-input"));
	if (!input) throw wrong("its Signature-Input is missing or of another form");
	const [, params = "", created = "", expires = "", nonce = "", keyid = ""] = input;
	const contentDigest = contentDigestIn(request.field, request.body);
	const verifier = await verifierFor(keyid);
	if (!verifier || verifier.keyid !== keyid) throw wrong(`its key ${keyid} is not known here`);
	const base = requestBase(request, contentDigest, params);
	if (!(await verifier.verify(base, signatureIn(fieldOf(request.field, "signature")))))
		throw wrong("its signature does not fit it");
	timely(Number(created), Number(expires), now / 1000);
	const until = (Number(expires) + clockAllowance + 1) * 1000;
	if (!(await once(keyid, nonce, until))) throw new Problem("signature-repeated");
	return { keyid, created: Number(created) * 1000 };
}

/** `asked` is the request's header `signature`. `now` in ms, by the answerer's own clock. */
export async function signAnswer(
	answer: SentAnswer,
	asked: string,
	signer: Signer,
	now: number,
): Promise<SignatureHeaders> {
	const [name, value] = covered(answer);
	const parts = answerParts(name);
	const params = `${parts};created=${Math.floor(now / 1000)};keyid="${signer.keyid}";alg="ed25519";tag="migration"`;
	const signature = await signer.sign(answerBase(answer.status, name, value, asked, params));
	return { [name]: value, "signature-input": `sig=${params}`, signature: `sig=:${toBase64(signature)}:` };
}

export interface ReceivedAnswer {
	readonly status: number;
	readonly field: Field;
	/** Its bytes; null: they come as a stream, and `fediversity-stream` stands for them. */
	readonly body: Uint8Array | null;
}

/** An answer whose signature holds. */
export interface VerifiedAnswer {
	/** When it was made, in ms, by the answerer's clock: what a PeerClock learns from. */
	readonly created: number;
	/** What the header `fediversity-stream` says; null: it was no stream. */
	readonly stream: string | null;
}

/** Checks an answer to the request with the header `signature` that is `asked`. Throws a Problem `signature-wrong`. */
export async function verifyAnswer(answer: ReceivedAnswer, asked: string, verifier: Verifier): Promise<VerifiedAnswer> {
	const input = answerInput.exec(fieldOf(answer.field, "signature-input"));
	if (!input) throw wrong("its Signature-Input is missing or of another form");
	const [, params = "", name = "", created = "", keyid = ""] = input;
	if (name !== (answer.body === null ? streamHeader : "content-digest"))
		throw wrong(`it covers ${name}, which does not stand for its body`);
	if (keyid !== verifier.keyid) throw wrong(`${verifier.keyid} was to sign it`);
	const value = answer.body ? contentDigestIn(answer.field, answer.body) : fieldOf(answer.field, streamHeader);
	const base = answerBase(answer.status, name, value, asked, params);
	if (!(await verifier.verify(base, signatureIn(fieldOf(answer.field, "signature")))))
		throw wrong("its signature does not fit it");
	return { created: Number(created) * 1000, stream: answer.body ? null : value };
}

/** What another node's clock shows, learnt from its answers. */
export class PeerClock {
	#ahead = 0;

	/** `own` is this node's time in ms. */
	at(own: number): number {
		return own + this.#ahead;
	}

	/** From a verified answer and this node's times before and after the call. Differences under two seconds are none. */
	learn(created: number, asked: number, answered: number): void {
		const ahead = created + 500 - (asked + answered) / 2;
		this.#ahead = Math.abs(ahead) < 2000 + (answered - asked) / 2 ? 0 : ahead;
	}
}

/** `Content-Digest` of a body (RFC 9530). */
export function contentDigestOf(body: Uint8Array): string {
	return `sha-256=:${toBase64(sha256(body))}:`;
}

const keyidText = `"([!#-\\[\\]-~]{1,300})"`;
const requestParts = `("@method" "@target-uri" "content-digest")`;
const requestInput = new RegExp(
	`^sig=(\\("@method" "@target-uri" "content-digest"\\);created=(\\d{10});expires=(\\d{10});nonce="([\\w-]{22})";keyid=${keyidText};alg="ed25519";tag="migration")$`,
);
const answerParts = (name: string) => `("@status" "${name}" "signature";req)`;
const answerInput = new RegExp(
	`^sig=(\\("@status" "(content-digest|${streamHeader})" "signature";req\\);created=(\\d{10});keyid=${keyidText};alg="ed25519";tag="migration")$`,
);

/** The bytes that are signed (RFC 9421 §2.5): a line for each part and one for the parameters. */
export function signatureBase(lines: readonly (readonly [part: string, value: string])[], params: string): Uint8Array {
	const text = lines.map(([part, value]) => `${part}: ${value}\n`).join("");
	return utf8(`${text}"@signature-params": ${params}`);
}

function requestBase({ method, target }: SentRequest, contentDigest: string, params: string): Uint8Array {
	// No blank and no line break: a value must not be able to look like another line.
	if (!/^[!-~]+$/.test(target) || !/^[A-Z]+$/.test(method)) throw wrong("its method or address is none");
	const lines = [
		['"@method"', method],
		['"@target-uri"', target],
		['"content-digest"', contentDigest],
	] as const;
	return signatureBase(lines, params);
}

function answerBase(status: number, name: string, value: string, asked: string, params: string): Uint8Array {
	if (!/^sig=:[\w+/=]{88}:$/.test(asked)) throw wrong("the request it answers was not signed");
	const lines = [
		['"@status"', String(status)],
		[`"${name}"`, value],
		['"signature";req', asked],
	] as const;
	return signatureBase(lines, params);
}

function covered({ body }: SentAnswer): readonly [name: string, value: string] {
	return body instanceof Uint8Array ? ["content-digest", contentDigestOf(body)] : [streamHeader, body.stream];
}

function contentDigestIn(field: Field, body: Uint8Array): string {
	const given = fieldOf(field, "content-digest");
	if (!same(utf8(given), utf8(contentDigestOf(body)))) throw wrong("its Content-Digest does not fit its body");
	return given;
}

function signatureIn(header: string): Uint8Array {
	try {
		const [, text] = /^sig=:([\w+/]{86}==):$/.exec(header) ?? [];
		if (text !== undefined) return fromBase64(text);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	throw wrong("its Signature is missing or of another form");
}

function timely(created: number, expires: number, now: number) {
	if (expires <= created || expires - created > requestLifetime) throw wrong("it would be good for too long");
	if (created > now + clockAllowance || expires < now - clockAllowance) throw new Problem("signature-untimely");
}

function fieldOf(field: Field, name: string): string {
	const value = field(name);
	return typeof value === "string" ? value : (value?.join(", ") ?? "");
}

function wrong(why: string): Problem {
	return new Problem("signature-wrong", { why });
}
