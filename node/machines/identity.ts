import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { lazily } from "../lazily.ts";
import { started, toEnd } from "./run.ts";

/**
 * By what the node is known to its machines: a key of its own in a file for its own user alone, made when there is none yet.
 * One that is there is never replaced, also without the file of its public half beside it: a backup may lack that, and
 * systemd hands over single files.
 */
export class Identity {
	readonly file: string;
	/** Resolves when the file is there. */
	readonly ready: () => Promise<void>;

	constructor(file: string) {
		this.file = file;
		this.ready = lazily(() => this.#make());
	}

	/** The line for `authorized_keys`. */
	async publicKey(): Promise<string> {
		await this.ready();
		return (await keygen("-y", "-f", this.file)).trim();
	}

	async #make(): Promise<void> {
		if (existsSync(this.file)) return;
		mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
		const made = `${this.file}.new`;
		for (const one of [made, `${made}.pub`]) rmSync(one, { force: true });
		await keygen("-q", "-t", "ed25519", "-N", "", "-C", "fediversity", "-f", made);
		renameSync(`${made}.pub`, `${this.file}.pub`);
		renameSync(made, this.file);
	}
}

async function keygen(...words: string[]): Promise<string> {
	const { code, output, errors } = await toEnd(await started("ssh-keygen", words), { deadline: 60 });
	if (code !== 0) throw new Error(`ssh-keygen: ${errors.trim()}`);
	return output;
}
