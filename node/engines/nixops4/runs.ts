import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { Answer } from "#protocol/nixops4/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Answering } from "./answering.ts";
import { Lines, longestLine } from "./lines.ts";
import type { Context, RunEvent } from "./resources/resource.ts";

const log = getLogger(["fediversity", "nixops4"]);

/** A run of NixOps4 that may speak to this node. */
export interface Run {
	/** For NixOps4's environment, which its providers inherit: where the node is, and a file with this run's credential. */
	readonly environment: Readonly<Record<"FEDIVERSITY_RUN_SOCKET" | "FEDIVERSITY_RUN_CREDENTIAL_FILE", string>>;
	/** From now on the credential is good for nothing. Resolves when all that its providers asked for has ended. Twice is fine. */
	close(): Promise<void>;
}

export interface RunsParts {
	/** The Unix socket's path. */
	readonly socket: string;
	/** For the files with credentials; the node's own user alone. */
	readonly folder: string;
	readonly answering: Pick<Answering, "answer">;
	/** A run has ended: what was kept in memory for it may go. */
	readonly ended?: (deployment: string) => void;
}

interface Open {
	readonly context: Omit<Context, "signal">;
	readonly ending: AbortController;
	readonly talks: Set<Promise<void>>;
}

/** The runs of NixOps4 that are open now, at most one a deployment, and the socket at which their providers call. */
export class Runs {
	readonly #parts: RunsParts;
	/** By the hash of their credentials; those themselves are only in their files. */
	readonly #open = new Map<string, Open>();
	/** Connections that have not said yet for which run they come. */
	readonly #strangers = new Set<Socket>();
	#server: Promise<Server> | undefined;

	constructor(parts: RunsParts) {
		this.#parts = parts;
	}

	/** Throws `deployment-busy` while there is a run for this deployment. `heard` is called for all that happens in it. */
	async open(deployment: string, domain: string, heard: (event: RunEvent) => void): Promise<Run> {
		if ([...this.#open.values()].some(({ context }) => context.deployment === deployment))
			throw new Problem("deployment-busy");
		const credential = randomBytes(32).toString("base64url");
		const run = {
			context: { deployment, domain, heard },
			ending: new AbortController(),
			talks: new Set<Promise<void>>(),
		};
		this.#open.set(hash(credential), run);
		const file = join(this.#parts.folder, `run-${hash(credential).slice(0, 16)}`);
		const close = async () => {
			rmSync(file, { force: true });
			run.ending.abort(new Problem("cancelled"));
			await Promise.all(run.talks);
			if (this.#open.delete(hash(credential))) this.#parts.ended?.(deployment);
		};
		try {
			await this.#listening();
			mkdirSync(this.#parts.folder, { recursive: true, mode: 0o700 });
			writeFileSync(file, credential, { mode: 0o600, flag: "wx" });
		} catch (error) {
			await close();
			throw error;
		}
		return {
			environment: { FEDIVERSITY_RUN_SOCKET: this.#parts.socket, FEDIVERSITY_RUN_CREDENTIAL_FILE: file },
			close,
		};
	}

	/** Ends all talks and listens no more. */
	async close(): Promise<void> {
		for (const { ending } of this.#open.values()) ending.abort(new Problem("cancelled"));
		await Promise.all([...this.#open.values()].flatMap(({ talks }) => [...talks]));
		const server = await this.#server?.catch(() => undefined);
		this.#server = undefined;
		const ended = new Promise<unknown>((closed) => (server ? server.close(closed) : closed(undefined)));
		for (const connection of this.#strangers) connection.destroy();
		await ended;
	}

	#listening(): Promise<Server> {
		this.#server ??= this.#listen().catch((error: unknown) => {
			this.#server = undefined;
			throw error;
		});
		return this.#server;
	}

	/** Files of runs that a killed node left behind go, and so does its socket. */
	async #listen(): Promise<Server> {
		const { socket, folder } = this.#parts;
		mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
		rmSync(socket, { force: true });
		rmSync(folder, { recursive: true, force: true });
		const server = createServer((connection) => void this.#received(connection));
		await new Promise<void>((listening, failed) => {
			server.once("error", failed);
			// The folder around it is the node's alone; so is the socket, before anybody knows of it.
			server.listen(socket, listening);
		});
		chmodSync(socket, 0o600);
		return server;
	}

	async #received(connection: Socket): Promise<void> {
		connection.on("error", () => {});
		const lines = new Lines(connection, longestLine);
		this.#strangers.add(connection);
		const credential = await lines.next();
		this.#strangers.delete(connection);
		const run = this.#open.get(hash(credential ?? ""));
		if (!run || run.ending.signal.aborted) {
			log.debug("A provider with a credential of no open run was turned away");
			return void connection.end(inOneLine({ errorResponse: { message: "This run is over, or was never begun" } }));
		}
		const talk = this.#talk(connection, lines, run);
		run.talks.add(talk);
		await talk.finally(() => run.talks.delete(talk));
	}

	/** In turn: the next line is taken when the one before is answered. What is under way when the other end is gone is told so. */
	async #talk(connection: Socket, lines: Lines, { context, ending }: Open): Promise<void> {
		const signal = AbortSignal.any([lines.over, ending.signal]);
		ending.signal.addEventListener("abort", () => lines.end(), { once: true });
		for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
			const answer = await this.#parts.answering.answer(line, { ...context, signal });
			connection.write(inOneLine(answer));
		}
		connection.end();
	}
}

function inOneLine(answer: Answer): string {
	return `${JSON.stringify(answer)}\n`;
}

function hash(credential: string): string {
	return createHash("sha256").update(credential).digest("hex");
}
