import { execFile } from "node:child_process";
import { closeSync, constants, fsync, openSync } from "node:fs";
import { promisify } from "node:util";
import { isGone } from "./folders.ts";
import { at, folderOf, nameOf } from "./name.ts";
import type { Tree } from "./tree.ts";

/** Above this, bringing the whole file system to disk takes less time than one file after the other. */
const most = 256;
const atOnce = 8;
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Remembers what was changed in a tree, and brings just that to disk: others' files on the same disk may be many. */
export class Durability {
	readonly #folder: string;
	/** Null: too much to tell, or nobody knows. */
	#changed: Set<string> | null;
	/** What is brought to disk behind; false: that failed. */
	#behind: Promise<boolean> = Promise.resolve(true);

	constructor(folder: string, isKnown: boolean) {
		this.#folder = folder;
		this.#changed = isKnown ? new Set() : null;
	}

	/** To be called with each raw path that changes. */
	note(raw: string): void {
		if (!this.#changed) return;
		this.#changed.add(raw);
		this.#changed.add(folderOf(raw));
		if (this.#changed.size > most) this.#changed = null;
	}

	/** Begins to bring to disk what was noted, if that is much, and does not wait for it. */
	begin(): void {
		if (this.#changed) return;
		const before = this.#behind;
		this.#changed = new Set();
		this.#behind = flushAll(this.#folder).then(
			() => before,
			() => false,
		);
	}

	/** Resolves once all that was noted is on disk; then begins anew. */
	async flush(tree: Tree): Promise<void> {
		if (!(await this.#behind)) this.#changed = null;
		this.#behind = Promise.resolve(true);
		if (this.#changed) await this.#flushEach(tree, [...this.#changed]);
		else await flushAll(this.#folder);
		this.#changed = new Set();
	}

	async #flushEach(tree: Tree, paths: readonly string[]): Promise<void> {
		for (let start = 0; start < paths.length; start += atOnce)
			await Promise.all(paths.slice(start, start + atOnce).map((raw) => flushOne(tree, raw)));
	}
}

async function flushOne(tree: Tree, raw: string): Promise<void> {
	const fd = opened(tree, raw);
	if (fd === undefined) return;
	await promisify(fsync)(fd).finally(() => closeSync(fd));
}

/** What is gone, or is a link or a pipe, is brought to disk with the folder it was or is in. */
function opened(tree: Tree, raw: string): number | undefined {
	try {
		return openSync(raw === "" ? tree.root : at(tree.folders.at(folderOf(raw)), nameOf(raw)), flags);
	} catch (error) {
		if (isGone(error) || (error as NodeJS.ErrnoException).code === "EACCES") return undefined;
		throw error;
	}
}

async function flushAll(folder: string): Promise<void> {
	const run = promisify(execFile);
	// Not every sync knows how to do just one file system.
	await run("sync", ["-f", folder]).catch(() => run("sync"));
}
