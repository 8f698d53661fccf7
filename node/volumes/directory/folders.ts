import { closeSync, constants, existsSync, lstatSync, openSync } from "node:fs";
import { at, folderOf, nameOf } from "./name.ts";

const asFolder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Linux lets us name what is in an open folder, which cannot become another one under our hands. */
const byDescriptor = existsSync("/proc/self/fd");
const most = 48;

/** Folders of one tree, each opened from the one it lies in, so that no symlink in the tree leads out of it. */
export class Folders {
	readonly #root: string;
	/** By raw path; those used last come last. */
	readonly #open = new Map<string, number>();

	constructor(root: string) {
		this.#root = root;
	}

	/**
	 * What to put before a name in this folder; good until another folder is asked for, or this is closed.
	 * Throws ENOENT, and ENOTDIR or ELOOP for what is not a folder.
	 */
	at(raw: string): string {
		const known = this.#open.get(raw);
		if (known !== undefined) return this.#used(raw, known);
		const path = raw === "" ? this.#root : at(this.at(folderOf(raw)), nameOf(raw));
		const fd = openSync(path, raw === "" ? asFolder & ~constants.O_NOFOLLOW : asFolder);
		this.#open.set(raw, fd);
		if (this.#open.size > most) this.#closeOldest();
		return this.#prefix(raw, fd);
	}

	/** To be called for a folder that was removed or replaced: it and what is in it will be opened anew. */
	drop(raw: string): void {
		for (const [path, fd] of this.#open)
			if (path === raw || path.startsWith(`${raw}/`)) {
				this.#open.delete(path);
				closeSync(fd);
			}
	}

	close(): void {
		for (const fd of this.#open.values()) closeSync(fd);
		this.#open.clear();
	}

	#used(raw: string, fd: number): string {
		this.#open.delete(raw);
		this.#open.set(raw, fd);
		return this.#prefix(raw, fd);
	}

	#prefix(raw: string, fd: number): string {
		if (byDescriptor) return `/proc/self/fd/${fd}/`;
		const parts = raw === "" ? [] : raw.split("/");
		let path = this.#root;
		for (const part of parts) {
			path += `/${Buffer.from(part, "latin1")}`;
			if (!lstatSync(path).isDirectory()) throw Object.assign(new Error(`${path} is no folder`), { code: "ENOTDIR" });
		}
		return `${path}/`;
	}

	#closeOldest(): void {
		for (const [path, fd] of this.#open) {
			this.#open.delete(path);
			closeSync(fd);
			return;
		}
	}
}

/** Whether an error says that what was asked for is not there, or not of the kind it was a moment ago. */
export function isGone(error: unknown): boolean {
	return (
		error instanceof Error && "code" in error && ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(String(error.code))
	);
}
