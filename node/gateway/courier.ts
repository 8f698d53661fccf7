import type { IncomingMessage, ServerResponse } from "node:http";
import type { LookupFunction } from "node:net";
import type { Agent, Dispatcher, Pool } from "undici";
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

/** Where a request goes. */
export interface Way {
	/** Such as `http://127.0.0.1:20001`. */
	readonly origin: string;
	/** By TLS the other side is to prove this name, which is the host that was asked for and not the origin's own. */
	readonly away?: {
		readonly host: string;
		/** Looks the other side's name up, and gives only addresses that one may connect to. */
		readonly lookup?: LookupFunction | undefined;
	};
}

/** What becomes of it. */
export interface Outcome {
	/** Called, once, when nothing of an answer has gone out and nothing will. */
	failed(failure: Failure): void;
	/** An answer went out, all of it or only a part. Not called when the client turned away. */
	ended?(isWhole: boolean): void;
}

/** RFC 9110, 15.5.20: another node says so of a name that it does not know yet, and others would give up on us for it. */
const misdirected = 421;

/** Hands requests to services and to other nodes, over connections that are kept between them. */
export class Courier {
	readonly #limits: Limits;
	/** By origin and host name, since a connection by TLS is good for one name. */
	readonly #pools = new Map<string, Pool>();
	/** Connections that are used for one request. */
	readonly #once = new Set<Dispatcher>();
	#undici: typeof import("undici") | undefined;
	#agent: Agent | undefined;
	#loading: Promise<void> | undefined;

	constructor(limits: Limits) {
		this.#limits = limits;
	}

	/** Loads what it takes, so that the first request need not wait for it. A second call does nothing. */
	prepare(): Promise<void> {
		this.#loading ??= this.#load();
		return this.#loading;
	}

	/** Brings the request there and its answer back. */
	send(way: Way, visit: Visit, outcome: Outcome): void {
		const dispatcher = this.#dispatcher(way, visit);
		if (dispatcher) this.#dispatch(dispatcher, way, visit, outcome, true);
		else this.prepare().then(() => this.send(way, visit, outcome));
	}

	/** Ends every exchange that is still under way. */
	async close(): Promise<void> {
		await this.#loading;
		await Promise.all([this.#agent, ...this.#once, ...this.#pools.values()].map((one) => one?.destroy()));
	}

	#dispatch(dispatcher: Dispatcher, way: Way, visit: Visit, outcome: Outcome, mayRepeat: boolean): void {
		const { head, request, response } = visit;
		const method = request.method ?? "";
		const body = head.hasBody ? new Upload(request, this.#limits.body) : null;
		const exchange = new Exchange(request, response, {
			linger: this.#limits.linger,
			noAnswer: way.away && misdirected,
			ended: (isWhole) => outcome.ended?.(isWhole),
			failed: (failure, isStale) => {
				body?.destroy();
				if (isStale && mayRepeat && !body && repeatable.has(method))
					this.#dispatch(dispatcher, way, visit, outcome, false);
				else outcome.failed(failure);
			},
		});
		const { path, headers } = head;
		const servername = way.away && { servername: way.away.host };
		dispatcher.dispatch({ origin: way.origin, path, method, headers, body, ...servername }, exchange);
	}

	/**
	 * Some services hang up after each answer and do not say so. What may not be sent twice must not meet that, so it has a
	 * connection of its own.
	 */
	#dispatcher({ origin, away }: Way, { head, request }: Visit): Dispatcher | undefined {
		if (!this.#undici) return undefined;
		if (!away) return repeatable.has(request.method ?? "") && !head.hasBody ? this.#agent : this.#fresh(origin);
		const name = `${origin} ${away.host}`;
		const pool =
			this.#pools.get(name) ??
			new this.#undici.Pool(origin, { ...this.#options(away.lookup), connections: this.#limits.connectionsAway });
		this.#pools.set(name, pool);
		return pool;
	}

	#fresh(origin: string): Dispatcher | undefined {
		if (!this.#undici) return undefined;
		const client = new this.#undici.Client(origin, this.#options());
		this.#once.add(client);
		client.once("disconnect", () => this.#once.delete(client));
		// It is asked to close when it has its request, and does so after the answer.
		setImmediate(() => client.close().finally(() => this.#once.delete(client)));
		return client;
	}

	/** Only here, since undici takes as long to load as everything else that a node needs to begin. */
	async #load(): Promise<void> {
		this.#undici = await import("undici");
		const connections = this.#limits.connectionsPerService;
		this.#agent = new this.#undici.Agent({ ...this.#options(), connections });
	}

	#options(lookup?: LookupFunction) {
		return {
			connect: { timeout: this.#limits.connect, ...(lookup && { lookup }) },
			allowH2: false,
			headersTimeout: this.#limits.firstByte,
			bodyTimeout: this.#limits.idle,
			maxHeaderSize: this.#limits.answerHead,
		};
	}
}
