import type { Readable } from "node:stream";
import { Problem } from "#protocol/problem.ts";

export interface Ask {
	readonly method?: "GET" | "POST" | "PUT";
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: Uint8Array | string | Readable;
	readonly signal?: AbortSignal;
	/** Ms until the answer begins, and between its parts. Default 10,000. */
	readonly patience?: number;
}

export interface Answer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Readable;
}

const patience = 10_000;
/** No document of another node is longer than this, bytes. */
const longest = 64 * 1024;

/**
 * The way to other nodes. It connects to public addresses only, those that it has looked up itself, speaks TLS only,
 * follows no redirect, and shows nobody what came back from where it should not have gone.
 */
export class Outside {
	readonly #privateToo: boolean;
	#agent: Promise<InstanceType<typeof import("undici").Agent>> | undefined;

	/** `privateToo` lets it go to this machine and its networks, also without TLS: for the demo and tests only. */
	constructor(privateToo: boolean) {
		this.#privateToo = privateToo;
	}

	/** The origin of a URL we may ask; throws `node-address` for one that cannot be a public node's. */
	async origin(text: string): Promise<string> {
		const url = URL.parse(text);
		const { looksPublic } = await import("./public-address.ts");
		const fits =
			url !== null &&
			!url.username &&
			!url.password &&
			(this.#privateToo ? /^https?:$/.test(url.protocol) : url.protocol === "https:" && looksPublic(url.hostname));
		if (!fits) throw new Problem("node-address", { origin: url ? url.origin : text.slice(0, 100) });
		return url.origin;
	}

	/** One request; throws `node-silent` when no answer begins. The caller reads or destroys the body. */
	async ask(address: string, ask: Ask = {}): Promise<Answer> {
		const origin = await this.origin(address);
		const { request } = await import("undici");
		this.#agent ??= agentFor(this.#privateToo);
		const { method = "GET", headers = {}, body, signal } = ask;
		try {
			const answer = await request(address, {
				...{ method, dispatcher: await this.#agent },
				headers: { "user-agent": "fediversity-node", ...headers },
				...(body !== undefined && { body }),
				...(signal && { signal }),
				headersTimeout: ask.patience ?? patience,
				bodyTimeout: ask.patience ?? patience,
			});
			// Whoever reads the body hears of its failure there; one that is hung up on has nobody else to tell.
			answer.body.on("error", () => {});
			return { status: answer.statusCode, headers: answer.headers, body: answer.body };
		} catch (cause) {
			if (signal?.aborted) throw signal.reason;
			throw new Problem("node-silent", { origin }, { cause });
		}
	}

	/** A document, at most 64 KiB of it; throws `node-silent` and `node-unfit`. */
	async document(address: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
		const { answer, text } = await this.#read(address, headers);
		const { origin } = new URL(address);
		if (answer.status !== 200) throw new Problem("node-unfit", { origin, reason: `it answered ${answer.status}` });
		try {
			return JSON.parse(text);
		} catch {
			throw new Problem("node-unfit", { origin, reason: "what it answered is not JSON" });
		}
	}

	async #read(address: string, headers: Readonly<Record<string, string>>) {
		try {
			const answer = await this.ask(address, { headers, signal: AbortSignal.timeout(patience) });
			return { answer, text: await short(answer) };
		} catch (cause) {
			if (cause instanceof Problem) throw cause;
			// It began to answer, and hung up or fell asleep.
			throw new Problem("node-silent", { origin: new URL(address).origin }, { cause });
		}
	}

	async close(): Promise<void> {
		await (await this.#agent)?.destroy();
	}
}

/** The whole of a short answer as text; what is longer is cut off there. */
export async function short({ body }: Answer, most = longest): Promise<string> {
	const parts: Buffer[] = [];
	let size = 0;
	for await (const part of body) {
		parts.push(part as Buffer);
		size += (part as Buffer).length;
		if (size > most) break;
	}
	return Buffer.concat(parts).subarray(0, most).toString("utf8");
}

async function agentFor(privateToo: boolean) {
	const [{ Agent }, { publicLookup, anyLookup }] = await Promise.all([import("undici"), import("./public-address.ts")]);
	const lookup = privateToo ? anyLookup : publicLookup;
	return new Agent({ connect: { timeout: patience, lookup }, pipelining: 1, connections: 8 });
}
