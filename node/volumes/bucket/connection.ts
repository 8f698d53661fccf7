import { createHash } from "node:crypto";
import type { Agent, Dispatcher } from "undici";
import { Problem } from "#protocol/problem.ts";
import type { Place } from "../volume.ts";
import { type Element, parse, textOf } from "./answer.ts";
import { Patience } from "./patience.ts";
import { escaped, queryText, signed, signingKey } from "./signature.ts";

export type BucketPlace = Extract<Place, { kind: "bucket" }>;

/** One request to a bucket, or to an object in it. */
export interface Ask {
	readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
	readonly key?: string;
	readonly query?: Readonly<Record<string, string>>;
	/** Names in lower case, values one character a byte. */
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: Buffer;
	/** Statuses that say something; others are errors. 2xx are always among them. */
	readonly expected?: readonly number[];
	readonly signal: AbortSignal;
}

export type Answer = Dispatcher.ResponseData;

/** The largest XML answer: a thousand keys of the longest kind, each byte escaped, and what is said of each. */
const largest = 8 * 1024 * 1024;
const timeouts = { connect: 10_000, first: 60_000, idle: 60_000 };
const nothing = Buffer.alloc(0);
/** A connection that fails, and what servers say when it is just now that they cannot. */
const passing =
	/^(UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH)|E[A-Z_]+|HPE_.*)$/;
const again = new Set([408, 429, 500, 502, 503, 504]);
const againCodes = new Set(["RequestTimeout", "InternalError", "SlowDown", "ServiceUnavailable", "OperationAborted"]);

/**
 * Speaks to one S3 server about one bucket, by path (`/<bucket>/<key>`) and with signed headers, so that no address
 * holds anything secret. What fails in passing is tried again, each time a little later.
 */
export class Connection {
	readonly #place: BucketPlace;
	readonly #endpoint: URL;
	readonly #connections: number;
	#agent: Promise<Agent> | undefined;
	#dayKey: { readonly day: string; readonly key: Buffer } | undefined;

	constructor(place: BucketPlace, connections = 32) {
		this.#place = place;
		this.#endpoint = new URL(place.endpoint);
		this.#connections = connections;
	}

	get bucket(): string {
		return this.#place.bucket;
	}

	/** Whether both speak to the same server, which can then copy by itself. */
	isBeside(other: Connection): boolean {
		return this.#endpoint.origin === other.#endpoint.origin;
	}

	/** `take` reads the answer; it is called again with another one if the connection breaks meanwhile. */
	async ask<Result>(ask: () => Ask, take: (answer: Answer) => Promise<Result>, patience?: Patience): Promise<Result> {
		const { signal } = ask();
		const waits = patience ?? new Patience(signal);
		for (;;) {
			signal.throwIfAborted();
			const outcome = await this.#once(ask(), take);
			if ("result" in outcome) return outcome.result;
			if (!(await waits.wait(outcome.after))) throw this.#problem("bucket-silent", outcome.reason);
		}
	}

	/**
	 * The XML that is answered, which for these codes is an `Error`. A server may find out that it fails when it has said
	 * 200 already.
	 */
	async askXml(ask: () => Ask, codes: readonly string[] = []): Promise<Element> {
		return this.ask(ask, async (answer) => {
			const element = read(await textOfBody(answer));
			if (element.name !== "Error") return element;
			const code = textOf(element, "Code") ?? "";
			if (codes.includes(code)) return element;
			if (againCodes.has(code)) throw new Passing(code);
			throw this.#problem("bucket-refused", this.#reason(element));
		});
	}

	async close(): Promise<void> {
		await (await this.#agent)?.destroy();
	}

	readonly #keyOf = (_access: unknown, day: string): Buffer => {
		if (this.#dayKey?.day !== day) this.#dayKey = { day, key: signingKey(this.#place, day) };
		return this.#dayKey.key;
	};

	async #once<Result>(ask: Ask, take: (answer: Answer) => Promise<Result>): Promise<Outcome<Result>> {
		try {
			const answer = await this.#send(ask);
			const { statusCode: status } = answer;
			if (status < 300 || ask.expected?.includes(status)) return { result: await take(answer) };
			return await this.#failed(answer);
		} catch (error) {
			ask.signal.throwIfAborted();
			if (error instanceof Passing) return { reason: error.message };
			const { code } = error as { code?: unknown };
			if (error instanceof Problem || typeof code !== "string" || !passing.test(code)) throw error;
			return { reason: code };
		}
	}

	/** Throws what will not pass. */
	async #failed(answer: Answer): Promise<{ reason: string; after: number }> {
		const element = errorIn(await textOfBody(answer));
		const reason = `${answer.statusCode} ${this.#reason(element)}`.trim();
		if (!again.has(answer.statusCode) && !againCodes.has(textOf(element, "Code") ?? ""))
			throw this.#problem("bucket-refused", reason);
		return { reason, after: Number(answer.headers["retry-after"] ?? 0) * 1000 || 0 };
	}

	/** Never more than its code and one sentence: servers repeat what was signed, and with what key. */
	#reason(element: Element): string {
		const text = [textOf(element, "Code"), textOf(element, "Message")?.slice(0, 200)].filter(Boolean).join(": ");
		return text.replaceAll(this.#place.accessKeyId, "…").replaceAll(this.#place.secretAccessKey, "…");
	}

	#problem(code: "bucket-silent" | "bucket-refused", reason: string): Problem {
		return new Problem(code, { server: this.#endpoint.host, bucket: this.#place.bucket, reason });
	}

	async #send({ method, key, query = {}, headers = {}, body = nothing, signal }: Ask): Promise<Answer> {
		this.#agent ??= newAgent(this.#connections);
		const base = this.#endpoint.pathname.replace(/\/$/, "");
		const bucket = `${base}/${escaped(this.#place.bucket)}`;
		const path = key === undefined ? bucket : `${bucket}/${escapedKey(key)}`;
		const bodyHash = createHash("sha256").update(body).digest("hex");
		const own = { ...headers, host: this.#endpoint.host };
		const proof = signed(this.#place, { method, path, query, headers: own, bodyHash }, new Date(), this.#keyOf);
		const search = queryText(query);
		return (await this.#agent).request({
			origin: this.#endpoint.origin,
			path: `${key === undefined ? bucket : `${bucket}/${onTheWire(key)}`}${search === "" ? "" : `?${search}`}`,
			method,
			headers: proof,
			body: method === "PUT" || method === "POST" ? body : null,
			signal,
		});
	}
}

type Outcome<Result> = { result: Result } | { reason: string; after?: number };

/** Something that another try may mend. */
export class Passing extends Error {}

/** Each part by itself, for `/` stays. */
export function escapedKey(key: string): string {
	return key.split("/").map(escaped).join("/");
}

/** Servers may take slashes at the beginning of a key for none; what is signed has them as they are. */
function onTheWire(key: string): string {
	return escapedKey(key).replace(/^\/+/, (slashes) => slashes.replaceAll("/", "%2F"));
}

/** Only here, since undici takes as long to load as everything else that a node needs to begin. */
async function newAgent(connections: number): Promise<Agent> {
	const { Agent } = await import("undici");
	return new Agent({
		connections,
		pipelining: 1,
		allowH2: false,
		connect: { timeout: timeouts.connect },
		headersTimeout: timeouts.first,
		bodyTimeout: timeouts.idle,
	});
}

async function textOfBody(answer: Answer): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of answer.body as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size > largest) throw new Error(`an answer has more than ${largest} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString();
}

function read(xml: string): Element {
	try {
		return parse(xml);
	} catch (error) {
		throw new Passing(`an answer cannot be read: ${(error as Error).message}`);
	}
}

function errorIn(text: string): Element {
	try {
		return parse(text);
	} catch {
		return { name: "Error", text: "", children: [] };
	}
}
