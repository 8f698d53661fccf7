/** What lies between two nodes and between everybody and them, and all that can go wrong there. */
import { request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { NameServer } from "../../node/demo/name-server.ts";
import { kindOf } from "./kind.ts";

export type Provider = "north" | "south";
export const providers = ["north", "south"] as const;

/** A request of one node to the other. */
export interface Passage {
	readonly to: Provider;
	/** A message's kind, with `final` for the last manifest; else the last fixed part of the path, such as `pieces`. */
	readonly kind: string;
	/** Of the migration, if it is about one. */
	readonly sid: string | undefined;
}

/** A request of anybody else, such as a browser or another server of the Fediverse. */
export interface Visit {
	readonly host: string;
	/** Which node answered; by way of the other one, if that handed it on. */
	readonly by: Provider;
	readonly handedOn: boolean;
	readonly status: number;
}

/** Where a node listens. */
export interface At {
	readonly host: string;
	readonly port: number;
}

/** What happens to a request and its answer. Whoever is cut off sees the connection end. */
export type Fate =
	| "pass"
	| "lose-request"
	| "lose-answer"
	/** It arrives, and once more later, when its answer has long been given. */
	| "echo"
	/** It arrives when this is over, also after those behind it. */
	| { readonly hold: Promise<unknown> }
	/** The answer breaks off after so many bytes, or a bit of its byte there is flipped. */
	| { readonly cutAfter: number }
	| { readonly flip: number }
	/** Bytes a second. */
	| { readonly rate: number };

/**
 * One door for all names of the zone, as on the demo's machine, and one more for each node, where the other one hands
 * on requests. Nodes speak to each other through it as well, and `fate` decides about each of their requests.
 */
export class Internet {
	fate: (passage: Passage) => Fate = () => "pass";
	/** By which line a request of one node gets to the other; none: straight. */
	line: (passage: Passage) => At | undefined = () => undefined;
	/** All that the nodes have said to each other, in the order in which it set out. */
	readonly seen: Passage[] = [];
	/** All that others got an answer to. */
	readonly visits: Visit[] = [];
	/** Hosts that everybody believes to be where they once were, as while an old record is still in caches. */
	readonly cached = new Map<string, Provider>();
	readonly #nodes: Record<Provider, At>;
	readonly #names: () => NameServer;
	readonly #servers: Server[] = [];
	readonly #echoes = new Set<Promise<unknown>>();

	/** `nodes` says where each of them listens. */
	constructor(nodes: Record<Provider, At>, names: () => NameServer) {
		this.#nodes = nodes;
		this.#names = names;
	}

	async open(): Promise<{ port: number; fronts: Record<Provider, number> }> {
		const port = await this.#listen((host) => this.cached.get(host) ?? this.#follow(host));
		const [north, south] = [await this.#listen(() => "north", true), await this.#listen(() => "south", true)];
		return { port, fronts: { north, south } };
	}

	async close(): Promise<void> {
		await Promise.all(this.#echoes);
		for (const server of this.#servers) {
			server.close();
			server.closeAllConnections();
		}
	}

	async #listen(find: (host: string) => Provider | undefined, isFront = false): Promise<number> {
		const server = createServer((request, response) => {
			const host = (request.headers.host ?? "").replace(/:\d+$/, "");
			this.#carry(request, response, find(host), isFront).catch(() => response.destroy());
		});
		server.keepAliveTimeout = 60_000;
		server.requestTimeout = 0;
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		this.#servers.push(server);
		return (server.address() as AddressInfo).port;
	}

	#follow(host: string): Provider | undefined {
		const known = providers.find((provider) => host === `${provider}.localhost`);
		if (known) return known;
		const next = this.#names()
			.lookup(host)
			.find(({ type }) => type === "CNAME" || type === "A")?.value;
		return providers.find((provider) => next === `${provider}.localhost` || next === this.#nodes[provider].host);
	}

	async #carry(request: IncomingMessage, response: ServerResponse, to: Provider | undefined, isFront: boolean) {
		if (!to) return void response.writeHead(404).end();
		if (request.headers["user-agent"] !== "fediversity-node") return this.#pass(request, response, to, isFront);
		const body = Buffer.concat(await request.toArray());
		const passage = { to, ...kindOf(request.url ?? "/", body) };
		this.seen.push(passage);
		const fate = this.fate(passage);
		if (fate === "lose-request") return void response.destroy();
		if (typeof fate === "object" && "hold" in fate) await fate.hold;
		if (fate === "lose-answer") {
			await this.#send(request, this.#nodes[to], body).then((answer) => answer.toArray());
			return void response.destroy();
		}
		if (fate === "echo") this.#again(request, to, body);
		const answer = await this.#send(request, this.line(passage) ?? this.#nodes[to], body, response);
		response.writeHead(answer.statusCode ?? 502, answer.headers);
		await pipeline(answer, ...harm(fate, response), response);
	}

	async #pass(request: IncomingMessage, response: ServerResponse, by: Provider, handedOn: boolean): Promise<void> {
		const answer = await this.#send(request, this.#nodes[by], request, response);
		const { statusCode: status = 502, headers } = answer;
		this.visits.push({ host: (request.headers.host ?? "").replace(/:\d+$/, ""), by, handedOn, status });
		response.writeHead(status, headers);
		await pipeline(answer, response);
	}

	#send(
		{ method = "GET", url = "/", headers }: IncomingMessage,
		to: At,
		body: Buffer | IncomingMessage,
		response?: ServerResponse,
	): Promise<IncomingMessage> {
		const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
		const on = ask({ ...to, method, path: url, headers });
		on.once("response", resolve).once("error", reject);
		response?.once("close", () => on.destroy());
		if (Buffer.isBuffer(body)) on.end(body);
		else body.pipe(on);
		return promise;
	}

	#again(request: IncomingMessage, to: Provider, body: Buffer): void {
		const echo = pause(1000)
			.then(() => this.#send(request, this.#nodes[to], body))
			.then((answer) => answer.toArray())
			.catch(() => {});
		this.#echoes.add(echo);
		void echo.finally(() => this.#echoes.delete(echo));
	}
}

function harm(fate: Fate, response: ServerResponse): Transform[] {
	if (typeof fate !== "object" || "hold" in fate) return [];
	let before = 0;
	const each = (change: (chunk: Buffer, at: number) => Buffer | Promise<Buffer>) => [
		new Transform({
			async transform(chunk: Buffer, _encoding, done) {
				const at = before;
				before += chunk.length;
				done(null, await change(chunk, at));
			},
		}),
	];
	if ("rate" in fate)
		return each(async (chunk) => {
			await pause((chunk.length / fate.rate) * 1000);
			return chunk;
		});
	if ("flip" in fate)
		return each((chunk, at) => {
			const where = fate.flip - at;
			if (where < 0 || where >= chunk.length) return chunk;
			const changed = Buffer.from(chunk);
			changed[where] = (changed[where] ?? 0) ^ 1;
			return changed;
		});
	return each((chunk, at) => {
		if (at + chunk.length < fate.cutAfter) return chunk;
		setImmediate(() => response.destroy());
		return chunk.subarray(0, Math.max(0, fate.cutAfter - at));
	});
}
