import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { askAt } from "./ask.ts";
import type { Answer } from "./recipe.ts";
import type { Network } from "./unit.ts";

/** Makes ways to ask a service, see `askAt`. */
export type Asking = typeof askAt;

interface Said {
	readonly number: number;
	readonly answer?: Answer;
	readonly error?: string;
	/** Somebody inside has connected to this port, which is let through. */
	readonly port?: number;
}

const inside = join(import.meta.dirname, "ask-inside.mjs");

/** Loopback of a new network is down, and `ip` is what brings it up. */
const begin = 'ip link set lo up && exec "$@"';

/**
 * A network with nothing in it but its own loopback: programs in it reach each other and nobody else, and nobody
 * reaches them but by asking through us. It lasts until it is closed, or this node ends.
 */
export class Seclusion {
	readonly network: Network;
	readonly #child: ChildProcess;
	readonly #waiting = new Map<number, (said: Said) => void>();
	readonly #lines = new Set<Socket>();
	#number = 0;

	private constructor(child: ChildProcess, isRoot: boolean) {
		this.#child = child;
		this.network = { holder: child.pid as number, ofUser: !isRoot };
		child.on("message", (said: Said, socket?: Socket) => {
			if (said.port === undefined) this.#hear(said);
			else if (socket) this.#carry(socket, said.port);
		});
		child.once("exit", () => this.#fall());
	}

	/**
	 * Null where this machine does not allow it. `env` is for what runs inside and needs PATH. Who is not root does it
	 * within a user namespace.
	 */
	static async open(
		env: Readonly<Record<string, string>>,
		isRoot = process.getuid?.() === 0,
	): Promise<Seclusion | null> {
		const unshare = ["unshare", ...(isRoot ? [] : ["--user", "--map-root-user"]), "--net", "--"] as const;
		const [command, ...args] = [...unshare, "sh", "-c", begin, "sh", process.execPath, inside];
		if (process.platform !== "linux") return null;
		const child = spawn(command, args, { cwd: "/", env: { ...env }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
		const isReady = await Promise.race([
			once(child, "message").then(() => true),
			once(child, "exit").then(() => false),
			once(child, "error").then(() => false),
		]).catch(() => false);
		return isReady ? new Seclusion(child, isRoot) : null;
	}

	/** As `askAt`, of services inside. */
	readonly asking: Asking = (origin, port, signal) => {
		return async (path, request = {}) => {
			signal?.throwIfAborted();
			const said = await this.#ask({ origin, port: port(request.port), path, request });
			signal?.throwIfAborted();
			if (!said.answer) throw new Error(said.error ?? "no answer");
			return said.answer;
		};
	};

	/** Those inside reach these ports of the machine's loopback under the same numbers: servers that keep their state. */
	async letThrough(ports: readonly number[]): Promise<void> {
		for (const open of new Set(ports)) {
			const { error } = await this.#ask({ open });
			if (error) throw new Error(error);
		}
	}

	/** Ends it; what still runs inside is cut off from everything for good. Twice is fine. */
	async close(): Promise<void> {
		for (const line of this.#lines) line.destroy();
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const gone = once(this.#child, "exit");
		this.#child.kill("SIGKILL");
		await gone;
	}

	#ask(errand: object): Promise<Said> {
		const number = ++this.#number;
		return new Promise((done) => {
			this.#waiting.set(number, done);
			this.#child.send({ number, ...errand }, (error) => {
				if (error) this.#hear({ number, error: error.message });
			});
		});
	}

	#carry(inside: Socket, port: number) {
		const outside = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
		for (const [from, to] of [
			[inside, outside],
			[outside, inside],
		] as const) {
			this.#lines.add(from);
			from.once("error", () => to.destroy()).once("close", () => this.#lines.delete(from));
			from.pipe(to);
		}
	}

	#hear(said: Said) {
		this.#waiting.get(said.number)?.(said);
		this.#waiting.delete(said.number);
	}

	#fall() {
		for (const number of [...this.#waiting.keys()]) this.#hear({ number, error: "the trial was cut off" });
	}
}
