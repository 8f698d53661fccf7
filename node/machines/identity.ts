import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { started, toEnd } from "./run.ts";

/** By what the node is known to its machines: a key of its own in a file for its own user alone, made when there is none yet. */
export class Identity {
	readonly file: string;
	#made: Promise<void> | undefined;

	constructor(file: string) {
		this.file = file;
	}

	/** The line for `authorized_keys`. */
	async publicKey(): Promise<string> {
		await this.ready();
		return readFileSync(`${this.file}.pub`, "utf8").trim();
	}

	/** Resolves when the file is there. */
	ready(): Promise<void> {
		this.#made ??= this.#make();
		this.#made.catch(() => {
			this.#made = undefined;
		});
		return this.#made;
	}

	async #make(): Promise<void> {
		if (existsSync(this.file) && existsSync(`${this.file}.pub`)) return;
		mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
		const made = `${this.file}.new`;
		for (const one of [made, `${made}.pub`]) rmSync(one, { force: true });
		const words = ["-q", "-t", "ed25519", "-N", "", "-C", "fediversity", "-f", made];
		const { code, errors } = await toEnd(await started("ssh-keygen", words), { deadline: 60 });
		if (code !== 0) throw new Error(`ssh-keygen made no key: ${errors.trim()}`);
		renameSync(`${made}.pub`, `${this.file}.pub`);
		renameSync(made, this.file);
	}
}
