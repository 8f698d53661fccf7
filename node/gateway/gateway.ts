import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { AddressInfo, LookupFunction, Socket } from "node:net";
import { getLogger } from "@logtape/logtape";
import { answerFor, refuse } from "./answers.ts";
import { hasPassed, headAway, nameOf } from "./away.ts";
import { Clients } from "./clients.ts";
import { Courier, type Visit, type Way } from "./courier.ts";
import type { Destination, Find } from "./destination.ts";
import type { Failure } from "./exchange.ts";
import { readHead, rewrite } from "./head.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { About } from "./page.ts";
import { leadsToTls, type Secure, secureOptions } from "./secure.ts";
import { openTunnel } from "./tunnel.ts";
import { linger } from "./upload.ts";
import type { Matter } from "./words.ts";

const log = getLogger(["fediversity", "gateway"]);

/** Seconds after which it is worth asking again for a service that did not answer, and after a fault of ours. */
const retryFailed = 10;
const retryAway = 30;
const retryBroken = 60;

const loopback = "127.0.0.1";

/** What a gateway needs to know. */
export interface GatewayParts {
	readonly find: Find;
	/** Answers what `find` gives to the panel. X-Forwarded-For, -Proto and -Host are true there, whoever sent them. */
	readonly panel: (request: IncomingMessage, response: ServerResponse) => unknown;
	readonly about: About;
	/** Whether all that comes in comes from a proxy of ours, so that its X-Forwarded-For and -Proto are true. */
	readonly trustProxy: boolean;
	readonly limits?: Partial<Limits>;
	/** Looks up the names of other nodes; without it the system does. */
	readonly lookup?: LookupFunction;
	/** What is shown to who comes by TLS; without it nobody can. */
	readonly secure?: Secure;
	/** Told of each request for a service that is not, or no longer, answered here. Called often, so it must be quick. */
	counted?(host: string, what: Counted): void;
}

/** A request put off with 503 and Retry-After, one that another node has answered, and one that it left without an answer. */
export type Counted = "deferred" | "forwarded" | "failed";

/** What has come in since the start, for operators. */
export interface Tally {
	panel: number;
	service: number;
	away: number;
	wait: number;
	unknown: number;
	/** Requests that a service or another node left without an answer. */
	failed: number;
	/** Requests that were malformed or too large, and connections over a limit. */
	refused: number;
}

/** The door of a node: every request comes in here and goes where its host name belongs. */
export class Gateway {
	readonly tally: Tally = { panel: 0, service: 0, away: 0, wait: 0, unknown: 0, failed: 0, refused: 0 };
	/** What other nodes know us by. */
	readonly #name: string;
	readonly #parts: GatewayParts;
	readonly #limits: Limits;
	readonly #courier: Courier;
	readonly #servers: Server[] = [];
	readonly #clients = new Clients();
	readonly #tunnels = new Set<Socket>();

	constructor(parts: GatewayParts) {
		this.#parts = parts;
		this.#name = nameOf(parts.about.panel);
		this.#limits = { ...defaultLimits, ...parts.limits };
		this.#courier = new Courier(this.#limits);
	}

	/** Opens the door; gives the port, which matters when 0 was asked for. Rejects with EADDRINUSE and the like. */
	listen(at: { host: string; port: number }): Promise<number> {
		return this.#open(createServer(this.#options()), at);
	}

	/** The same by TLS, beside it. Pages are then led from there to here, once there is a certificate for their host. */
	async listenSecurely(at: { host: string; port: number }): Promise<number> {
		const { secure } = this.#parts;
		if (!secure) throw new Error("There is nothing to show to who comes by TLS");
		const { createServer: createSecureServer } = await import("node:https");
		return this.#open(createSecureServer({ ...this.#options(), ...secureOptions(secure) }), at);
	}

	#open(server: Server, at: { host: string; port: number }): Promise<number> {
		this.#attend(server);
		this.#servers.push(server);
		return new Promise((resolve, reject) => {
			server.once("error", reject);
			server.listen(at.port, at.host, () => {
				server.off("error", reject);
				resolve((server.address() as AddressInfo).port);
			});
		});
	}

	/** Connections that are open now, and how many of them are WebSockets. */
	get open(): { connections: number; webSockets: number } {
		return { connections: this.#clients.size, webSockets: this.#tunnels.size };
	}

	/** Takes no more requests, lets those under way end within `grace` milliseconds, then hangs up. A second call does nothing. */
	async close(grace = 5000): Promise<void> {
		const closed = Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
		for (const socket of this.#tunnels) socket.destroySoon();
		const timer = setTimeout(() => this.#hangUp(), grace);
		await closed;
		clearTimeout(timer);
		await this.#courier.close();
	}

	#hangUp(): void {
		for (const server of this.#servers) server.closeAllConnections();
		for (const socket of this.#tunnels) socket.destroy();
	}

	#options(): ServerOptions {
		const { head, headTime, keepAlive } = this.#limits;
		return {
			maxHeaderSize: head,
			headersTimeout: headTime,
			// A big upload may take hours, as long as something keeps coming: see #welcome.
			requestTimeout: 0,
			keepAliveTimeout: keepAlive,
			connectionsCheckingInterval: Math.min(headTime, 5000),
			// Without it node:http plays through the life of a stream for every request that has no body.
			optimizeEmptyRequests: true,
			shouldUpgradeCallback: (request) => this.#isKnock(request),
		};
	}

	#attend(server: Server): void {
		const { idle, connections } = this.#limits;
		server.timeout = idle;
		if (connections > 0) server.maxConnections = connections;
		server.on("connection", (socket) => this.#admit(socket));
		server.on("drop", () => this.tally.refused++);
		server.on("request", (request, response) => this.#receive({ request, response, isWaiting: false }));
		server.on("checkContinue", (request, response) => this.#receive({ request, response, isWaiting: true }));
		server.on("upgrade", (request, socket, early) => this.#tunnel(request, socket as Socket, early));
	}

	#admit(socket: Socket): void {
		const open = this.#clients.add(socket);
		const most = this.#limits.connectionsPerClient;
		if (this.#parts.trustProxy || most === 0 || open <= most) return;
		this.tally.refused++;
		socket.end("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n");
		socket.destroySoon();
	}

	#receive(call: Omit<Visit, "head">): void {
		const head = readHead(call.request, this.#parts.trustProxy);
		if (head) this.#route({ ...call, head }).catch((error) => this.#broke(error, call));
		else {
			this.tally.refused++;
			refuse(400, call.response);
		}
	}

	async #route(visit: Visit): Promise<void> {
		if (visit.request.method === "TRACE") return this.#refuse(405, visit);
		if (this.#limits.body > 0 && (visit.head.size ?? 0) > this.#limits.body) return this.#refuse(413, visit);
		const destination = this.#find(visit.head.host);
		const { secure } = this.#parts;
		if (secure && destination.kind !== "unknown" && (await leadsToTls(visit, secure))) return;
		this.tally[destination.kind]++;
		switch (destination.kind) {
			case "wait":
				this.#defer(destination, visit);
				break;
			case "unknown":
				this.#answer("unknown", 0, visit);
				break;
			case "panel":
				this.#welcome(visit);
				rewrite(visit.request, visit.head);
				await this.#parts.panel(visit.request, visit.response);
				break;
			case "service":
				this.#welcome(visit);
				this.#courier.send(wayTo(destination), visit, { failed: (failure) => this.#excuse(failure, visit) });
				break;
			case "away":
				this.#forward(destination, visit);
		}
	}

	/** To the node where it has moved. One that comes back from there is not sent a second time. */
	#forward({ front }: Destination & { kind: "away" }, visit: Visit): void {
		const { request, head } = visit;
		if (hasPassed(request, this.#name)) return void this.#excuse("round", visit);
		this.#welcome(visit);
		const away = { ...visit, head: headAway(head, request, this.#name) };
		this.#courier.send({ origin: front, away: { host: head.host, lookup: this.#parts.lookup } }, away, {
			failed: (failure) => this.#excuse(failure, visit),
			ended: (isWhole) => this.#count(head.host, isWhole ? "forwarded" : "failed"),
		});
	}

	#defer({ why, retryAfter }: Destination & { kind: "wait" }, visit: Visit): void {
		this.#count(visit.head.host, "deferred");
		this.#answer(why, retryAfter, visit);
	}

	#count(host: string, what: Counted): void {
		this.#parts.counted?.(host, what);
	}

	/** Asks for the body if the client waits to be asked. One that stops coming is given up sooner than an answer that takes its time. */
	#welcome({ request, response, head, isWaiting }: Visit): void {
		if (isWaiting) response.writeContinue();
		if (!head.hasBody) return;
		request.socket.setTimeout(this.#limits.uploadIdle);
		request.once("end", () => request.socket.setTimeout(this.#limits.idle));
	}

	/**
	 * There is no answer. Perhaps the service was stopped in the meantime, and that is the better explanation. Of one that
	 * is away nothing is said that other servers would take for its end.
	 */
	#excuse(failure: Failure | "round", visit: Visit): void {
		log.debug("{host} gave no answer: {failure}", { host: visit.head.host, failure });
		const now = this.#find(visit.head.host);
		if (failure === "too-large") return void this.#refuse(413, visit);
		this.tally.failed++;
		if (now.kind === "wait") this.#defer(now, visit);
		else if (now.kind === "away") {
			this.#count(visit.head.host, "failed");
			this.#answer(failure === "round" ? "round" : "away", retryAway, visit);
		} else this.#answer(failure, retryFailed, visit);
	}

	#answer(matter: Matter, retryAfter: number, { head, request, response }: Visit): void {
		answerFor({ matter, retryAfter, host: head.host, about: this.#parts.about }, request, response);
		if (head.hasBody) linger(request, this.#limits.linger);
	}

	#refuse(status: number, { head, request, response }: Visit): void {
		this.tally.refused++;
		refuse(status, response);
		if (head.hasBody) linger(request, this.#limits.linger);
	}

	/** A fault of ours, or of the panel. */
	#broke(error: unknown, { request, response }: Omit<Visit, "head">): void {
		log.error("{method} {path} broke: {error}", { method: request.method, path: request.url?.split("?")[0], error });
		if (response.headersSent) response.destroy();
		else refuse(500, response);
	}

	/** A fault in finding must neither end the node nor tell other servers to give up on a service. */
	#find(host: string): Destination {
		try {
			return this.#parts.find(host);
		} catch (error) {
			log.error("Where {host} belongs could not be found: {error}", { host, error });
			return { kind: "wait", why: "starting", retryAfter: retryBroken };
		}
	}

	/** Whether this is a WebSocket that somebody else may take; anything else is answered like every other request. */
	#isKnock(request: IncomingMessage): boolean {
		const head = readHead(request, this.#parts.trustProxy);
		if (!head?.webSocket || head.hasBody) return false;
		const { kind } = this.#find(head.host);
		return kind === "service" || (kind === "away" && !hasPassed(request, this.#name));
	}

	#tunnel(request: IncomingMessage, socket: Socket, early: Buffer): void {
		const head = readHead(request, this.#parts.trustProxy);
		if (!head) return void socket.destroy();
		const destination = this.#find(head.host);
		if (destination.kind !== "service" && destination.kind !== "away") return void socket.destroy();
		const isAway = destination.kind === "away";
		this.tally[destination.kind]++;
		this.#tunnels.add(socket);
		socket.once("close", () => this.#tunnels.delete(socket));
		openTunnel({
			way: isAway
				? { origin: destination.front, away: { host: head.host, lookup: this.#parts.lookup } }
				: wayTo(destination),
			head: isAway ? headAway(head, request, this.#name) : head,
			...{ request, socket, early, limits: this.#limits },
			failed: (failure, response) => this.#excuse(failure, { head, request, response, isWaiting: false }),
			answered: () => isAway && this.#count(head.host, "forwarded"),
		});
	}
}

function wayTo({ host = loopback, port }: Destination & { kind: "service" }): Way {
	return { origin: `http://${host.includes(":") ? `[${host}]` : host}:${port}` };
}
