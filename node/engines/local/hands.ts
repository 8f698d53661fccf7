import { createHash } from "node:crypto";
import { basename, isAbsolute, normalize } from "node:path";
import type { Vault } from "../../secrets/vault.ts";
import type { Report } from "../engine.ts";
import { launch } from "./launch.ts";
import { newSecret } from "./password.ts";
import type { Hands, Home, RunOptions } from "./recipe.ts";
import { RunFailed, runToEnd } from "./run.ts";
import type { Confinement } from "./unit.ts";

/** Exit code by which our small scripts say that there is no such file. */
const noFile = 44;

const writeScript = `set -eu; umask 077
case "$1" in */*) mkdir -p -- "\${1%/*}";; esac
cat >"$1.new"; mv -f -- "$1.new" "$1"`;
const readScript = `[ -e "$1" ] || exit ${noFile}; exec cat -- "$1"`;

/**
 * The hands for one home. Everything is done by a process of the service's own user, confined like the service: a
 * service that was taken over by somebody could otherwise lead the node's own user astray with links in its folder.
 */
export class LocalHands implements Hands {
	readonly report: Report;
	readonly ask: Hands["ask"];
	readonly #home: Home;
	readonly #confinement: Confinement;
	readonly #env: Readonly<Record<string, string>>;
	readonly #vault: Vault;
	readonly #changing: () => Promise<void>;
	readonly #written = new Map<string, string>();

	constructor(options: {
		home: Home;
		report: Report;
		confinement: Confinement;
		env: Readonly<Record<string, string>>;
		vault: Vault;
		ask: Hands["ask"];
		/** Waited for before each change to a file. */
		changing?: () => Promise<void>;
	}) {
		this.#home = options.home;
		this.report = options.report;
		this.#confinement = { ...options.confinement, ownSharedMemory: false };
		this.#env = options.env;
		this.#vault = options.vault;
		this.ask = options.ask;
		this.#changing = options.changing ?? (async () => {});
	}

	run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
		return runToEnd({
			command: launch(command, this.#home.state, this.#confinement),
			name: basename(command[0]),
			folder: options.folder ?? this.#home.state,
			env: { ...this.#env, ...options.env },
			input: options.input,
			signal: this.report.signal,
			...(!options.quiet && { line: options.line ?? ((line: string) => this.report.log(line)) }),
		});
	}

	async write(path: string, contents: string): Promise<void> {
		this.#written.set(path, contents);
		if ((await this.read(path)) === contents) return;
		await this.#changing();
		await this.run(["sh", "-c", writeScript, "sh", inside(path)], { input: contents, quiet: true });
	}

	async read(path: string): Promise<string | undefined> {
		try {
			return await this.run(["sh", "-c", readScript, "sh", inside(path)], { quiet: true });
		} catch (error) {
			if (error instanceof RunFailed && error.code === noFile) return undefined;
			throw error;
		}
	}

	secret(name: string): Promise<string> {
		const { deployment, name: service } = this.#home;
		return this.#vault.obtain(`${deployment}/${service}/${name}`, newSecret);
	}

	/** Stands for all that was written: the same text for the same files with the same contents. */
	written(): string {
		return createHash("sha256")
			.update(JSON.stringify([...this.#written].sort()))
			.digest("hex")
			.slice(0, 16);
	}
}

function inside(path: string): string {
	const plain = normalize(path);
	if (isAbsolute(plain) || plain.startsWith("..")) throw new Error(`${path} is not inside the home`);
	return plain;
}
