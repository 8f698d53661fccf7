import type { Readable } from "node:stream";
import type { Signer } from "#protocol/migration/multikey.ts";
import { PeerClock, signRequest, type VerifiedAnswer, verifyAnswer } from "#protocol/migration/signature.ts";
import { Problem, type ProblemDocument, problems } from "#protocol/problem.ts";
import type { Actor } from "./actor.ts";
import { verifierOf } from "./keys.ts";
import type { Answer, Outside } from "./outside.ts";

/** Whom one calls: where, and by which key its answers are known. */
export type Callee = Pick<Actor, "origin" | "keyId" | "key">;

export interface Call {
	readonly method: "GET" | "POST" | "PUT";
	/** Below the callee's origin. */
	readonly path: string;
	readonly body?: Uint8Array | object;
	readonly signal?: AbortSignal;
	/** Ms until the answer begins. */
	readonly patience?: number;
	/** Bytes of a short answer at most; default: 256 KiB. */
	readonly most?: number;
}

export interface CallParts {
	readonly outside: Outside;
	readonly signer: () => Promise<Signer>;
	readonly now: () => number;
}

/** Bytes of a short answer. */
const longest = 256 * 1024;
const empty = new Uint8Array();

/** Signed requests to other nodes; only answers that they have signed count. */
export class Calls {
	readonly #parts: CallParts;
	readonly #clocks = new Map<string, PeerClock>();

	constructor(parts: CallParts) {
		this.#parts = parts;
	}

	/**
	 * Calls and gives the answer's JSON; undefined: it was empty. Throws the Problem that the other node answered with,
	 * `node-silent` when it did not, and `node-unfit` when its signature or its words make no sense.
	 */
	async call(callee: Callee, call: Call): Promise<unknown> {
		const { answer, bytes } = await this.#made(callee, call);
		const text = Buffer.from(bytes).toString("utf8");
		const value = text === "" ? undefined : parsed(text, callee.origin);
		if (answer.status < 300) return value;
		throw (
			problemIn(value) ?? new Problem("node-unfit", { origin: callee.origin, reason: `it answered ${answer.status}` })
		);
	}

	/** As `call`, for an answer that comes as a stream; `says` is what its signed header says of it. */
	async stream(callee: Callee, call: Call, isAgain = false): Promise<{ body: Readable; says: string }> {
		const asked = await this.#ask(callee, call);
		const says = asked.answer.headers["fediversity-stream"];
		if (asked.answer.status !== 200 || typeof says !== "string") {
			const { answer, bytes } = await this.#short(callee, call, asked);
			const problem = problemIn(parsed(Buffer.from(bytes).toString("utf8"), callee.origin));
			if (problem?.code === "signature-untimely" && !isAgain) return this.stream(callee, call, true);
			throw problem ?? new Problem("node-unfit", { origin: callee.origin, reason: `it answered ${answer.status}` });
		}
		await this.#verified(callee, asked, null);
		return { body: asked.answer.body, says };
	}

	/** Once more with the right time, if only our idea of the other's clock was wrong. */
	async #made(callee: Callee, call: Call): Promise<{ answer: Answer; bytes: Uint8Array }> {
		const first = await this.#short(callee, call, await this.#ask(callee, call));
		if (first.answer.status !== 401 || !Buffer.from(first.bytes).includes("signature-untimely")) return first;
		return this.#short(callee, call, await this.#ask(callee, call));
	}

	async #ask(callee: Callee, { method, path, body, signal, patience }: Call) {
		const { outside, signer, now } = this.#parts;
		const bytes = body === undefined ? empty : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
		const target = callee.origin + path;
		const clock = this.#clock(callee.origin);
		const at = now();
		const headers = await signRequest({ method, target, body: bytes }, await signer(), clock.at(at));
		const answer = await outside.ask(target, {
			...{ method, headers: { ...headers, ...(bytes.length > 0 && { "content-type": "application/json" }) } },
			...(bytes.length > 0 && { body: bytes }),
			...(signal && { signal }),
			...(patience && { patience }),
		});
		return { answer, asked: headers["signature"] ?? "", at };
	}

	async #short(callee: Callee, { most = longest }: Call, asked: { answer: Answer; asked: string; at: number }) {
		const parts: Buffer[] = [];
		let size = 0;
		for await (const part of asked.answer.body) {
			size += (part as Buffer).length;
			if (size > most) throw new Problem("node-unfit", { origin: callee.origin, reason: "it answers too much" });
			parts.push(part as Buffer);
		}
		const bytes = Buffer.concat(parts);
		await this.#verified(callee, asked, bytes);
		return { answer: asked.answer, bytes };
	}

	async #verified(callee: Callee, asked: { answer: Answer; asked: string; at: number }, body: Uint8Array | null) {
		const { answer } = asked;
		const field = (name: string) => answer.headers[name];
		let verified: VerifiedAnswer;
		try {
			const verifier = verifierOf(callee.keyId, callee.key);
			verified = await verifyAnswer({ status: answer.status, field, body }, asked.asked, verifier);
		} catch (cause) {
			answer.body.destroy();
			throw new Problem(
				"node-unfit",
				{ origin: callee.origin, reason: `its answer (${answer.status}) is not signed as it must be` },
				{ cause },
			);
		}
		this.#clock(callee.origin).learn(verified.created, asked.at, this.#parts.now());
	}

	#clock(origin: string): PeerClock {
		const known = this.#clocks.get(origin) ?? new PeerClock();
		this.#clocks.set(origin, known);
		return known;
	}
}

function parsed(text: string, origin: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new Problem("node-unfit", { origin, reason: "what it answered is not JSON" });
	}
}

/** What another node may tell of itself and of what we asked. Anything else would be taken for a problem of ours, such as `not-signed-in`. */
const theirs =
	/^((token|migration|message|signature|activity|proof|sealed|copy|domain|node|service|volume|bucket|disk)-.*|not-(valid|json|found)|too-(large|many)|our-fault)$/;

/** The problem that another node told, at a length for people; undefined: it is none that we know. */
function problemIn(value: unknown): Problem | undefined {
	const { code, params } = (value ?? {}) as Partial<ProblemDocument>;
	if (typeof code !== "string" || !Object.hasOwn(problems, code) || !theirs.test(code)) return undefined;
	const told = Object.entries(params ?? {}).slice(0, 10);
	return new Problem(code, Object.fromEntries(told.map(([name, text]) => [name, String(text).slice(0, 300)])));
}
