import type { IncomingMessage, ServerResponse } from "node:http";
import type { Agent } from "undici";
import { Exchange, type Failure } from "./exchange.ts";
import type { Head } from "./head.ts";
import type { Limits } from "./limits.ts";
import { Upload } from "./upload.ts";

/** One request, its head as we understand it, and its answer to be. */
export interface Visit {
	readonly head: Head;
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	/** Whether the client holds the body back until it is asked for it (100-continue, RFC 9110, 10.1.1). */
	readonly isWaiting: boolean;
}

/** Methods that may be sent twice when the first connection turns out to be dead (RFC 9110, 9.2.2). */
const repeatable = new Set(["GET", "HEAD", "OPTIONS"]);

/** Hands requests to services, over connections that are kept between them. */
export class Courier {
	readonly #limits: Limits;
	#agent: Agent | undefined;
	#loading: Promise<Agent> | undefined;

	constructor(limits: Limits) {
		this.#limits = limits;
	}

	/** Loads what it takes, so that the first request need not wait for it. A second call does nothing. */
	async prepare(): Promise<void> {
		this.#loading ??= this.#load();
		this.#agent ??= await this.#loading;
	}

	/**
	 * Brings the request to the service at `origin`, such as `http://127.0.0.1:20001`, and its answer back.
	 * `failed` is called, once, when nothing of an answer has gone out and nothing will.
	 */
	send(origin: string, visit: Visit, failed: (failure: Failure) => void): void {
		if (this.#agent) this.#dispatch(this.#agent, origin, visit, failed, true);
		else this.prepare().then(() => this.send(origin, visit, failed));
	}

	/** Ends every exchange that is still under way. */
	async close(): Promise<void> {
		await (await this.#loading)?.destroy();
	}

	#dispatch(agent: Agent, origin: string, visit: Visit, failed: (failure: Failure) => void, mayRepeat: boolean): void {
		const { head, request, response } = visit;
		const method = request.method ?? "";
		const body = head.hasBody ? new Upload(request, this.#limits.body) : null;
		const exchange = new Exchange(request, response, this.#limits.linger, (failure, isStale) => {
			body?.destroy();
			if (isStale && mayRepeat && !body && repeatable.has(method)) this.#dispatch(agent, origin, visit, failed, false);
			else failed(failure);
		});
		agent.dispatch({ origin, path: head.path, method, headers: head.headers, body }, exchange);
	}

	/** Only here, since undici takes as long to load as everything else that a node needs to begin. */
	async #load(): Promise<Agent> {
		const { Agent } = await import("undici");
		return new Agent({
			connections: this.#limits.connectionsPerService,
			connect: { timeout: this.#limits.connect },
			allowH2: false,
			headersTimeout: this.#limits.firstByte,
			bodyTimeout: this.#limits.idle,
			maxHeaderSize: this.#limits.answerHead,
		});
	}
}
