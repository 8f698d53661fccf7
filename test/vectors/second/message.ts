/** Signed requests and answers, and tokens: sections 3 and 5. */
import { createHmac } from "node:crypto";
import type { Party } from "./activity.ts";
import { canonical, fromBase64, fromBase64url, holds, refuse, sha256 } from "./bytes.ts";

type Headers = Readonly<Record<string, string>>;

const requestForm =
	/^sig=(\("@method" "@target-uri" "content-digest"\);created=(\d+);expires=(\d+);nonce="([\w-]{22})";keyid="([^"]+)";alg="ed25519";tag="migration")$/;
const answerForm =
	/^sig=(\("@status" "(content-digest|fediversity-stream)" "signature";req\);created=(\d+);keyid="([^"]+)";alg="ed25519";tag="migration")$/;

const wrong = "signature-wrong";

/** What a request comes to: `ok` or the problem's code. `now` in seconds. The nonce is for who keeps them. */
export function requestResult(
	{ method, target, body, headers }: { method: string; target: string; body: string; headers: Headers },
	now: number,
	asker: Party,
): string {
	const [, params = "", created, expires, , keyid] = requestForm.exec(headers["signature-input"] ?? "") ?? [];
	if (params === "" || headers["content-digest"] !== digestOf(body) || keyid !== asker.keyid) return wrong;
	const lines = `"@method": ${method}\n"@target-uri": ${target}\n"content-digest": ${headers["content-digest"]}\n`;
	if (!isSigned(lines, params, headers["signature"], asker)) return wrong;
	const [from, until] = [Number(created), Number(expires)];
	if (until <= from || until - from > 60) return wrong;
	return from > now + 10 || until < now - 10 ? "signature-untimely" : "ok";
}

/** `body` null: it comes as a stream. */
export function answerResult(
	{ status, body, headers }: { status: number; body: string | null; headers: Headers },
	asked: string,
	answerer: Party,
): string {
	const [, params = "", name = "", , keyid] = answerForm.exec(headers["signature-input"] ?? "") ?? [];
	if (params === "" || name !== (body === null ? "fediversity-stream" : "content-digest") || keyid !== answerer.keyid)
		return wrong;
	if (body !== null && headers[name] !== digestOf(body)) return wrong;
	const lines = `"@status": ${status}\n"${name}": ${headers[name]}\n"signature";req: ${asked}\n`;
	return isSigned(lines, params, headers["signature"], answerer) ? "ok" : wrong;
}

const digestOf = (body: string) => `sha-256=:${sha256(body).toString("base64")}:`;

function isSigned(lines: string, params: string, header = "", { key }: Party): boolean {
	const [, text] = /^sig=:([^:]*):$/.exec(header) ?? [];
	if (text === undefined) return false;
	return holds(key, Buffer.from(`${lines}"@signature-params": ${params}`), fromBase64(text));
}

/** A token as somebody has pasted it; throws where it is none. */
export function readToken(pasted: string): { origin: string; sid: string; secret: string; thumbprint: string } {
	const tidy = pasted
		.replaceAll(/^[ \t]*>+/gm, "")
		.replaceAll(/\s/g, "")
		.replaceAll(/^["'`<(]+|["'`>),.;]+$/g, "");
	const [, body = "", origin = "", sid = "", secret = "", thumbprint = "", check] =
		/^((https:\/\/[^/?#\\@]+)\/migrate\/([\w-]{22})#v1\.([\w-]{43})\.([\w-]{43}))\.([\w-]{6})$/.exec(tidy) ?? [];
	if (sha256(body).toString("base64url").slice(0, 6) !== check) refuse("no token");
	for (const part of [sid, secret, thumbprint]) fromBase64url(part);
	return { origin, sid, secret, thumbprint };
}

type Subject = { actor: string; domain: string; sid: string };

/** SCRAM's way: the secret behind a mask that who keeps its hash can take off. */
export function proofOf(secret: string, subject: Subject): string {
	return masked(fromBase64url(secret), sha256(fromBase64url(secret)), subject).toString("base64url");
}

export function proofFits(proof: string, secretHash: string, subject: Subject): boolean {
	const hash = fromBase64url(secretHash);
	return sha256(masked(fromBase64url(proof), hash, subject)).equals(hash);
}

function masked(bytes: Buffer, hash: Buffer, { actor, domain, sid }: Subject): Buffer {
	const mask = createHmac("sha256", hash).update(canonical({ actor, domain, sid })).digest();
	return Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] ?? 0)));
}
