import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Problem } from "#protocol/problem.ts";
import type { Host, Ran, Running, RunOptions } from "./host.ts";
import type { Machine } from "./machine.ts";
import { started, toEnd } from "./run.ts";
import { Sockets } from "./sockets.ts";

export interface SshOptions {
	/** File of the private key by which the node is known to its machines. */
	readonly identity: string;
	/** The client; default: `ssh` on the search path. */
	readonly program?: string;
	/** Seconds until a machine that does not answer is given up, and after which a line that has gone silent is. */
	readonly patience?: number;
	/** Where its socket lies; default: with the system's temporary files. */
	readonly sockets?: Sockets;
}

/** What ssh says by its own exit code, when it has not even run the program. */
const ownFailure = 255;
/** What a shell says when there is no such program. */
const noProgram = 127;
/**
 * Holds the connection, and ends it when its input ends, which is when this process does, however that ends.
 * Nothing is called over there for it, since a key may be good for the agent alone.
 */
const holding = `exec 3<&0 </dev/null; "$@" & ssh=$!; (cat <&3; kill $ssh) >/dev/null 2>&1 & cat=$!
wait $ssh; code=$?; kill $cat 2>/dev/null; exit $code`;
/** Between two looks at whether the connection is there, in milliseconds. */
const betweenLooks = 10;

interface Way {
	readonly folder: string;
	readonly master: Running;
}

/**
 * Another machine, by OpenSSH's client: no settings, keys or known hosts but those given here, the host key pinned. One
 * connection carries everything, and ends when this process does.
 */
export class Ssh implements Host {
	readonly name: string;
	readonly #machine: Machine;
	readonly #options: SshOptions;
	readonly #sockets: Sockets;
	#way: Promise<Way> | undefined;
	#former: string | undefined;

	/** Does not connect yet. */
	constructor(machine: Machine, options: SshOptions) {
		this.name = `${machine.id} (${machine.address})`;
		this.#machine = machine;
		this.#options = options;
		this.#sockets = options.sockets ?? new Sockets();
	}

	async start(words: readonly string[], signal?: AbortSignal): Promise<Running> {
		const { folder } = await this.#open();
		return started(this.#program, [...this.#over(folder), ...this.#whom, quoted(words)], signal);
	}

	async run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
		const ran = await toEnd(await this.start(words, options.signal), options);
		if (ran.code === ownFailure) throw this.#trouble(ran.errors);
		return ran;
	}

	async close(): Promise<void> {
		const way = await this.#way?.catch(() => undefined);
		this.#way = undefined;
		way?.master.input.end();
		way?.master.kill();
		await way?.master.ended;
		if (this.#former) rmSync(this.#former, { recursive: true, force: true });
	}

	get #program(): string {
		return this.#options.program ?? "ssh";
	}

	get #whom(): readonly string[] {
		return ["--", this.#machine.address];
	}

	#open(): Promise<Way> {
		this.#way ??= this.#connect();
		const way = this.#way;
		const drop = () => {
			if (this.#way === way) this.#way = undefined;
		};
		way.then(({ master }) => master.ended.then(drop), drop);
		return way;
	}

	async #connect(): Promise<Way> {
		const folder = this.#sockets.make();
		try {
			writeFileSync(join(folder, "known"), `machine ${this.#machine.hostKey}\n`, { mode: 0o600 });
			const words = ["-c", holding, "sh", this.#program, "-M", "-N", ...this.#over(folder), ...this.#whom];
			const master = await started("/bin/sh", words);
			await this.#ready(master, join(folder, "line"));
			// A client that began just before the line broke connects by itself, by what lies there, so that stayed until now.
			if (this.#former) rmSync(this.#former, { recursive: true, force: true });
			this.#former = folder;
			return { folder, master };
		} catch (error) {
			rmSync(folder, { recursive: true, force: true });
			throw error;
		}
	}

	/** The socket is there as soon as the machine has let us in. */
	async #ready(master: Running, socket: string): Promise<void> {
		let code: number | null | undefined;
		master.ended.then((ended) => {
			code = ended;
		});
		while (!existsSync(socket)) {
			if (code === noProgram)
				throw new Problem("program-missing", { program: this.#program, fix: "install OpenSSH's client" });
			if (code !== undefined) throw this.#trouble(master.errors());
			await wait(betweenLooks);
		}
	}

	/** What ssh(1) and ssh_config(5) call it. */
	#over(folder: string): readonly string[] {
		const { port, user, hostKey } = this.#machine;
		const patience = this.#options.patience ?? 15;
		const settings = {
			ControlPath: join(folder, "line"),
			User: user,
			Port: port,
			IdentityFile: this.#options.identity,
			IdentitiesOnly: "yes",
			IdentityAgent: "none",
			HostKeyAlias: "machine",
			HostKeyAlgorithms: algorithmsOf(hostKey),
			UserKnownHostsFile: join(folder, "known"),
			GlobalKnownHostsFile: "/dev/null",
			StrictHostKeyChecking: "yes",
			CheckHostIP: "no",
			UpdateHostKeys: "no",
			VerifyHostKeyDNS: "no",
			BatchMode: "yes",
			PreferredAuthentications: "publickey",
			ConnectTimeout: patience,
			ServerAliveInterval: patience,
			ServerAliveCountMax: 2,
			ClearAllForwardings: "yes",
			ForwardAgent: "no",
			Compression: "no",
			EscapeChar: "none",
			RequestTTY: "no",
			LogLevel: "ERROR",
		};
		return ["-F", "none", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
	}

	#trouble(errors: string): Problem {
		const machine = this.name;
		const reason = errors.trim().split("\n").at(-1)?.trim() ?? "";
		if (/host key verification failed|identification has changed|no matching host key/i.test(errors))
			return new Problem("machine-key-changed", { machine });
		if (/permission denied|load key|too many authentication/i.test(errors))
			return new Problem("machine-refused", { machine, reason });
		return new Problem("machine-silent", { machine, reason: reason || "the connection broke" });
	}
}

/** By these a server may prove that it has a key of this kind. */
function algorithmsOf(hostKey: string): string {
	const [kind = ""] = hostKey.split(" ");
	return kind === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : kind;
}

/** One line of a POSIX shell that is these words. */
const quoted = (words: readonly string[]) => words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
