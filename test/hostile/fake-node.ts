/** A node written for the tests: it has a key, an actor and a door like any other, keeps every rule, and lies where it is told to. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Signer, toMultikey } from "#protocol/migration/multikey.ts";
import { signAnswer, signRequest } from "#protocol/migration/signature.ts";
import type { ProblemDocument } from "#protocol/problem.ts";
import { reach } from "../stories/reach.ts";

/** Somebody else's signed request, as it came. */
export interface Asked {
	readonly method: string;
	readonly url: URL;
	readonly headers: IncomingMessage["headers"];
	readonly body: Buffer;
}

/** What it is answered. `never`: nothing at all. */
export type Reply =
	| "never"
	| {
			readonly status?: number;
			readonly body?: object | string;
			readonly headers?: Readonly<Record<string, string>>;
			/** Instead of a body: what comes as a stream, and what its signed header says. */
			readonly stream?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
			readonly says?: string;
			/** Default: this node's. null: the answer is not signed. */
			readonly signer?: Signer | null;
	  };

export type Handler = (asked: Asked) => Reply | Promise<Reply>;

/** A request to an honest node; all of it can be wrong. */
export interface Sending {
	readonly method?: string;
	/** The whole address; what is signed is `signed.target`, if that is given. */
	readonly target: string;
	readonly body?: Uint8Array | string;
	readonly signer?: Signer;
	/** The time it is signed with, in ms. */
	readonly now?: number;
	readonly signed?: { readonly target?: string; readonly method?: string; readonly body?: Uint8Array };
	/** Changes the headers after signing. */
	readonly headers?: (signed: Record<string, string>) => Record<string, string>;
}

export interface Answer {
	readonly status: number;
	readonly text: string;
	readonly isSigned: boolean;
	/** The code of the problem it was answered with. */
	readonly code: string | undefined;
	readonly detail: string;
}

/** Keys made for one actor. */
export interface Keys extends Signer {
	readonly key: string;
}

export function newKeys(keyid: string): Keys {
	const { publicKey, privateKey } = generateKeyPairSync("ed25519");
	return { keyid, key: toMultikey(rawKey(publicKey)), sign: (bytes) => sign(null, bytes, privateKey) };
}

function rawKey(key: KeyObject): Buffer {
	return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}

export class FakeNode {
	readonly origin: string;
	readonly actor: string;
	keys: Keys;
	/** By path, such as `/actor`, or by `POST /migrate/<sid>`. */
	readonly handlers = new Map<string, Handler>();
	/** What was asked of it, such as `GET /actor`. */
	readonly asked: string[] = [];
	readonly #server: ReturnType<typeof createServer>;

	static async open(name: string): Promise<FakeNode> {
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		return new FakeNode(name, server);
	}

	private constructor(name: string, server: ReturnType<typeof createServer>) {
		this.#server = server;
		this.origin = `http://${name}.localhost:${(server.address() as AddressInfo).port}`;
		this.actor = `${this.origin}/actor`;
		this.keys = newKeys(`${this.actor}#multikey-2`);
		this.handlers.set("/actor", () => ({ body: this.actorDocument(), signer: null }));
		server.on("request", (request, response) => {
			this.#answer(request, response).catch(() => response.destroy());
		});
	}

	actorDocument(): object {
		const { actor, keys } = this;
		const method = { id: keys.keyid, type: "Multikey", controller: actor, publicKeyMultibase: keys.key };
		return { id: actor, type: "Application", name: "Fake", assertionMethod: [method] };
	}

	async close(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	/** Says something to a node as it is told, be it wrong. */
	async send({ method = "POST", target, body = "", signer, now, signed, headers }: Sending): Promise<Answer> {
		const bytes = typeof body === "string" ? Buffer.from(body) : Buffer.from(body);
		const said = { method: signed?.method ?? method, target: signed?.target ?? target, body: signed?.body ?? bytes };
		const proper = { ...(await signRequest(said, signer ?? this.keys, now ?? Date.now())) };
		const response = await reach(target, {
			method,
			headers: { "content-type": "application/json", ...(headers ? headers(proper) : proper) },
			...(method !== "GET" && { body: bytes }),
		});
		const text = await response.text();
		const { code, detail = "" } = problemIn(text);
		return { status: response.status, text, isSigned: response.headers.has("signature"), code, detail };
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const url = new URL(request.url ?? "/", this.origin);
		const method = request.method ?? "";
		this.asked.push(`${method} ${url.pathname}`);
		const parts: Buffer[] = [];
		for await (const part of request) parts.push(part as Buffer);
		const asked = { method, url, headers: request.headers, body: Buffer.concat(parts) };
		const handler = this.handlers.get(`${method} ${url.pathname}`) ?? this.#below(method, url.pathname);
		const reply = await (handler?.(asked) ?? { status: 404, signer: null });
		if (reply !== "never") await this.#send(reply, request, response);
	}

	/** `GET /migrate/<sid>/listings` answers for all listings. */
	#below(method: string, path: string): Handler | undefined {
		return this.handlers.get(path) ?? this.handlers.get(`${method} ${path.slice(0, path.lastIndexOf("/"))}`);
	}

	async #send(reply: Exclude<Reply, "never">, request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { status = 200, body = "", headers = {}, stream, says = "listing", signer = this.keys } = reply;
		const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
		const asked = String(request.headers["signature"]);
		const answer = { status, body: stream ? { stream: says } : bytes };
		const signatures = signer ? await signAnswer(answer, asked, signer, Date.now()) : {};
		response.writeHead(status, { ...signatures, ...headers });
		if (stream) await pipeline(Readable.from(stream, { objectMode: false }), response);
		else response.end(bytes);
	}
}

function problemIn(text: string): Partial<ProblemDocument> {
	try {
		return JSON.parse(text) as Partial<ProblemDocument>;
	} catch {
		return {};
	}
}
