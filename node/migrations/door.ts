/** Where other nodes come with what they say of migrations: `/migrate/<sid>` on the panel's host, and what lies below it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getLogger } from "@logtape/logtape";
import type { Signer, Verifier } from "#protocol/migration/multikey.ts";
import { signAnswer, verifyRequest } from "#protocol/migration/signature.ts";
import { Problem } from "#protocol/problem.ts";
import { failureOf } from "../jobs/failure.ts";
import type { Nonces } from "../peers/nonces.ts";

/** A signed request from another node. */
export interface Visit {
	readonly sid: string;
	readonly keyid: string;
	readonly query: URLSearchParams;
	readonly body: Buffer;
	readonly signal: AbortSignal;
}

/** What it is answered: JSON, nothing, or a stream with what vouches for it. */
export type Reply = object | undefined | Streamed;

export interface Streamed {
	readonly stream: Readable | AsyncIterable<Uint8Array>;
	/** What vouches for it; see signature.ts. */
	readonly says: string;
}

/** What can be asked for below a session's address, by method and path: `POST`, `GET/listings`. */
export type Matters = Readonly<Record<string, (visit: Visit, last: string) => Promise<Reply> | Reply>>;

export interface DoorParts {
	readonly origin: string;
	readonly matters: Matters;
	readonly signer: () => Promise<Signer>;
	/** The key with this id, if it may speak in this session. Throws `not-found` for a session that is not. */
	verifierFor(sid: string, keyid: string): Promise<Verifier | undefined>;
	/** A signature did not fit the key with this id: whether it is worth asking for that key once more. */
	doubt?(keyid: string): boolean;
	readonly nonces: Nonces;
	readonly now: () => number;
}

/** Bytes: an activity with all secrets is the longest there is. Anybody may send so much before it is known who it is. */
const longest = 1_200_000;

const path = /^\/migrate\/([\w-]{22})(\/[a-z]+)?(?:\/([\w-]{1,60}))?$/;

const log = getLogger(["fediversity", "migrations"]);

/** Answers one request; false: it is none of ours, as when a person follows a token's address in a browser. */
export type Door = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export function openDoor(parts: DoorParts): Door {
	return async (request, response) => {
		const url = new URL(request.url ?? "/", parts.origin);
		const [, sid, below = "", last = ""] = path.exec(url.pathname) ?? [];
		if (sid === undefined || request.headers["signature"] === undefined) return false;
		const matter = parts.matters[`${request.method}${below}`];
		const aborted = new AbortController();
		// Also comes after an answer that has left whole, when nobody is waiting any more.
		response.once("close", () => {
			if (!response.writableFinished) aborted.abort(new Problem("cancelled"));
		});
		try {
			if (!matter) throw new Problem("not-found");
			const body = await bodyOf(request, longest);
			const keyid = await admit(parts, sid, request, url, body);
			const reply = await matter({ sid, keyid, query: url.searchParams, body, signal: aborted.signal }, last);
			if (isStream(reply)) await sendStream(parts, request, response, reply);
			else await send(parts, request, response, reply === undefined ? 204 : 200, reply);
		} catch (error) {
			if (response.headersSent) response.destroy();
			else await sendProblem(parts, request, response, error);
		}
		return true;
	};
}

async function admit(parts: DoorParts, sid: string, request: IncomingMessage, url: URL, body: Buffer): Promise<string> {
	const target = parts.origin + url.pathname + url.search;
	const sent = { method: request.method ?? "", target, body, field: (name: string) => request.headers[name] };
	let said = "";
	const verified = () =>
		verifyRequest(sent, {
			verifierFor: (keyid) => {
				said = keyid;
				return parts.verifierFor(sid, keyid);
			},
			now: parts.now(),
			once: (...nonce) => parts.nonces.once(...nonce),
		});
	try {
		return (await verified()).keyid;
	} catch (error) {
		const isWrong = error instanceof Problem && error.code === "signature-wrong";
		if (!isWrong || !parts.doubt?.(said)) throw error;
		return (await verified()).keyid;
	}
}

async function send(
	parts: DoorParts,
	request: IncomingMessage,
	response: ServerResponse,
	status: number,
	reply?: object,
) {
	const body = reply === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(reply));
	response.writeHead(status, {
		...(await signed(parts, request, status, body)),
		...(body.length > 0 && { "content-type": status < 400 ? "application/json" : "application/problem+json" }),
		"content-length": body.length,
		"cache-control": "no-store",
		// What was not read of a request that is too long must not be taken for the next one.
		...(status === 413 && { connection: "close" }),
	});
	response.end(body);
}

async function sendStream(
	parts: DoorParts,
	request: IncomingMessage,
	response: ServerResponse,
	{ stream, says }: Streamed,
) {
	const headers = await signed(parts, request, 200, { stream: says });
	response.writeHead(200, { ...headers, "content-type": "application/octet-stream", "cache-control": "no-store" });
	if (stream instanceof Readable) return pipeline(stream, response);
	// What was made for this answer alone gives its memory back as it leaves.
	const { send: sendOff } = await import("../transfer/release.ts");
	await sendOff(stream, response);
	response.end();
}

async function sendProblem(parts: DoorParts, request: IncomingMessage, response: ServerResponse, error: unknown) {
	const problem = error instanceof Problem ? error : new Problem("our-fault", { id: "migrations" });
	if (failureOf(error).code === "bug") log.error("A call from another node failed: {error}", { error });
	await send(parts, request, response, problem.status, problem.toJSON());
}

/** An answer can be bound to its request only if that was signed in our form; else it goes unsigned, and is believed by nobody. */
async function signed(
	parts: DoorParts,
	request: IncomingMessage,
	status: number,
	body: Uint8Array | { stream: string },
): Promise<Readonly<Record<string, string>>> {
	try {
		const asked = String(request.headers["signature"]);
		return await signAnswer({ status, body }, asked, await parts.signer(), parts.now());
	} catch (error) {
		if (error instanceof Problem) return {};
		throw error;
	}
}

/** By events, which cost less than an iterator. */
function bodyOf(request: IncomingMessage, most: number): Promise<Buffer> {
	// One without a body may be over before anybody listens.
	if (request.readableEnded) return Promise.resolve(Buffer.alloc(0));
	if (request.destroyed) return Promise.reject(new Problem("cancelled"));
	return new Promise((resolve, reject) => {
		const parts: Buffer[] = [];
		let size = 0;
		request.on("data", (part: Buffer) => {
			size += part.length;
			parts.push(part);
			if (size <= most) return;
			request.pause();
			reject(new Problem("too-large", { limit: `${Math.floor(most / 1024)} KiB` }));
		});
		request.once("end", () => resolve(Buffer.concat(parts)));
		request.once("error", reject);
		request.once("close", () => reject(new Problem("cancelled")));
	});
}

function isStream(reply: Reply): reply is Streamed {
	return reply !== undefined && "stream" in reply && "says" in reply;
}
