import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { rootCertificates } from "node:tls";
import { Problem } from "#protocol/problem.ts";

export interface AuthorityParts {
	/** Address of the ACME directory. */
	readonly directory: string;
	/** Where the authority may write to; empty: nowhere. */
	readonly email: string;
	/** Another root that its own server's certificate may come from, PEM: for authorities of one's own. */
	readonly ca?: string;
	/** The account's P-256 key, PKCS #8 PEM. The same key is the same account. */
	readonly accountKey: () => Promise<string>;
}

/** What an order, an authorization and a challenge have of what RFC 8555 §7.1 says. */
export interface Order {
	readonly status: "pending" | "ready" | "processing" | "valid" | "invalid";
	readonly authorizations: readonly string[];
	readonly finalize: string;
	readonly certificate?: string;
	readonly error?: { readonly detail?: string };
}
export interface Authorization {
	readonly status: "pending" | "valid" | "invalid" | "deactivated" | "expired" | "revoked";
	readonly identifier: { readonly value: string };
	readonly challenges: readonly {
		readonly type: string;
		readonly url: string;
		readonly token: string;
		readonly status: string;
		readonly error?: { readonly detail?: string };
	}[];
}

interface Directory {
	readonly newNonce: string;
	readonly newAccount: string;
	readonly newOrder: string;
}
interface Answer {
	readonly status: number;
	readonly headers: IncomingMessage["headers"];
	readonly text: string;
}

const patience = 20_000;
const longest = 256 * 1024;
/** A nonce may have grown old meanwhile; then the same is said with a new one. */
const nonceTries = 8;

/** An ACME server (RFC 8555), as its client sees it: signed requests, one account. Nothing is asked before the first call. */
export class Authority {
	readonly directory: string;
	readonly #parts: AuthorityParts;
	#opened: Promise<{ directory: Directory; key: KeyObject; account: string }> | undefined;
	#nonce: string | undefined;

	constructor(parts: AuthorityParts) {
		this.directory = parts.directory;
		this.#parts = parts;
	}

	/** Orders a certificate for these hosts; answers where the order is found again. */
	async order(hosts: readonly string[]): Promise<string> {
		const { directory } = await this.#open();
		const identifiers = hosts.map((value) => ({ type: "dns", value }));
		const { headers } = await this.#say(directory.newOrder, { identifiers });
		return String(headers.location);
	}

	/** Reads something of the account's, such as an order (RFC 8555 §6.3). */
	async read<Thing>(url: string): Promise<Thing> {
		return JSON.parse((await this.#say(url, undefined)).text) as Thing;
	}

	/** A certificate with its chain, PEM. */
	async download(url: string): Promise<string> {
		return (await this.#say(url, undefined)).text;
	}

	/** Says that a challenge may be looked at, or hands in a signing request. */
	async tell(url: string, what: object): Promise<void> {
		await this.#say(url, what);
	}

	/** The TXT value that answers a challenge of this token (RFC 8555 §8.1, §8.4). */
	async valueFor(token: string): Promise<string> {
		const { key } = await this.#open();
		return base64url(sha256(`${token}.${base64url(sha256(JSON.stringify(publicJwk(key))))}`));
	}

	#open() {
		this.#opened ??= this.#register().catch((error) => {
			this.#opened = undefined;
			throw error;
		});
		return this.#opened;
	}

	/** A key that has an account already gets just that (RFC 8555 §7.3). */
	async #register() {
		const directory = JSON.parse((await this.#ask("GET", this.directory)).text) as Directory;
		const key = createPrivateKey(await this.#parts.accountKey());
		const { email } = this.#parts;
		const wish = { termsOfServiceAgreed: true, ...(email && { contact: [`mailto:${email}`] }) };
		const { headers } = await this.#signed(directory, key, { jwk: publicJwk(key) }, directory.newAccount, wish);
		return { directory, key, account: String(headers.location) };
	}

	async #say(url: string, payload: object | undefined): Promise<Answer> {
		const { directory, key, account } = await this.#open();
		return this.#signed(directory, key, { kid: account }, url, payload);
	}

	async #signed(
		directory: Directory,
		key: KeyObject,
		by: object,
		url: string,
		payload: object | undefined,
	): Promise<Answer> {
		for (let round = 1; ; round++) {
			const nonce = this.#nonce ?? (await this.#freshNonce(directory));
			this.#nonce = undefined;
			const body = jws(key, { alg: "ES256", nonce, url, ...by }, payload);
			try {
				return await this.#ask("POST", url, body);
			} catch (error) {
				if (!(error instanceof BadNonce)) throw error;
				if (round >= nonceTries) throw refused(this.directory, "it takes none of its own nonces");
			}
		}
	}

	async #freshNonce({ newNonce }: Directory): Promise<string> {
		const { headers } = await this.#ask("HEAD", newNonce);
		return String(headers["replay-nonce"]);
	}

	async #ask(method: string, url: string, body?: string): Promise<Answer> {
		let answer: Answer;
		try {
			answer = await fetched(method, url, body, this.#parts.ca);
		} catch (cause) {
			throw new Problem("certificate-silent", { server: new URL(url).host }, { cause });
		}
		const nonce = answer.headers["replay-nonce"];
		if (typeof nonce === "string") this.#nonce = nonce;
		if (answer.status < 400) return answer;
		throw failure(this.directory, answer);
	}
}

class BadNonce extends Error {}

/** What an error of the authority's (RFC 8555 §6.7) means for us. */
function failure(directory: string, { status, headers, text }: Answer): Error {
	const { type = "", detail = `it answers ${status}` } = jsonOr(text, {} as { type?: string; detail?: string });
	if (type.endsWith(":badNonce")) return new BadNonce();
	if (type.endsWith(":rateLimited") || status === 429 || status === 503)
		return new Problem("certificate-later", {
			server: new URL(directory).host,
			seconds: secondsOf(headers["retry-after"]) ?? 3600,
		});
	if (status >= 500) return new Problem("certificate-silent", { server: new URL(directory).host });
	return refused(directory, detail);
}

export function refused(directory: string, reason: string): Problem {
	return new Problem("certificate-refused", { server: new URL(directory).host, reason: reason.slice(0, 300) });
}

/** Retry-After in seconds, whichever way it is written (RFC 9110 §10.2.3). */
function secondsOf(field: string | undefined): number | undefined {
	if (field === undefined) return undefined;
	const seconds = /^\d+$/.test(field) ? Number(field) : Math.ceil((Date.parse(field) - Date.now()) / 1000);
	return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

function fetched(method: string, url: string, body: string | undefined, ca: string | undefined): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const asked = request(url, {
			...{ method, timeout: patience, ...(ca && { ca: [...rootCertificates, ca] }) },
			headers: { "user-agent": "fediversity-node", ...(body && { "content-type": "application/jose+json" }) },
			signal: AbortSignal.timeout(2 * patience),
		});
		asked.once("error", reject);
		asked.once("timeout", () => asked.destroy(new Error("It takes too long")));
		asked.once("response", async (response) => {
			try {
				resolve({ status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response) });
			} catch (error) {
				reject(error);
			}
		});
		asked.end(body);
	});
}

async function textOf(response: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	let size = 0;
	for await (const part of response) {
		size += (part as Buffer).length;
		if (size > longest) throw new Error("It says too much");
		parts.push(part as Buffer);
	}
	return Buffer.concat(parts).toString("utf8");
}

/** RFC 8555 §6.2: flattened JSON; without a payload it is a POST-as-GET. */
function jws(key: KeyObject, head: object, payload: object | undefined): string {
	const protectedHead = base64url(Buffer.from(JSON.stringify(head)));
	const said = payload === undefined ? "" : base64url(Buffer.from(JSON.stringify(payload)));
	const signature = sign("sha256", Buffer.from(`${protectedHead}.${said}`), { key, dsaEncoding: "ieee-p1363" });
	return JSON.stringify({ protected: protectedHead, payload: said, signature: base64url(signature) });
}

/** Just the members that count for a thumbprint, in its order (RFC 7638 §3). */
function publicJwk(key: KeyObject) {
	const { crv, kty, x, y } = createPublicKey(key).export({ format: "jwk" });
	return { crv, kty, x, y };
}

function jsonOr<Other>(text: string, other: Other): Other {
	try {
		return JSON.parse(text);
	} catch {
		return other;
	}
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();
const base64url = (bytes: Buffer): string => bytes.toString("base64url");
