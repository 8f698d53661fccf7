import {
	closeSync,
	constants,
	copyFileSync,
	existsSync,
	fstatSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readlinkSync,
	statSync,
	symlinkSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Pace } from "../pace.ts";
import { isZero } from "../piece.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { openFile, readFully } from "./content.ts";
import { Folders } from "./folders.ts";
import { dress, type Ownership } from "./look.ts";
import { at, folderOf, nameOf } from "./name.ts";
import { fullOr, Tree, writeFully } from "./tree.ts";
import { type Found, walk } from "./walk.ts";

/** What is longer is copied while others have their turn. */
const long = 1024 * 1024;

/**
 * Copies a tree of the node's own, with all that a listing knows of it, into an empty folder, and makes it that owner's.
 * Where the file system can, both share what they hold until one is changed.
 */
export async function copyTree(from: string, to: string, owner: Ownership | null, signal: AbortSignal): Promise<void> {
	const copying = new Copying(from, to, owner, signal);
	try {
		await copying.run();
	} catch (error) {
		throw fullOr(error, to);
	} finally {
		copying.close();
	}
}

class Copying {
	readonly #from: Folders;
	readonly #to: Tree;
	readonly #owner: Ownership | null;
	readonly #pace: Pace;
	readonly #first = new Map<bigint, string>();
	/** Folders that are being filled: their look is set when nothing changes them any more. */
	readonly #open: { readonly entry: Entry; readonly raw: string }[] = [];

	constructor(from: string, to: string, owner: Ownership | null, signal: AbortSignal) {
		this.#from = new Folders(from);
		this.#to = new Tree(to);
		this.#owner = owner;
		this.#pace = new Pace(signal);
	}

	async run(): Promise<void> {
		const missed = (raw: string) => {
			throw new Error(`${raw} vanished from a tree that is the node's own`);
		};
		for (const found of walk(this.#from, missed)) {
			while (this.#open.length > 0 && this.#open.at(-1)?.raw !== folderOf(found.raw)) this.#finish();
			await this.#copy(found);
			if (this.#pace.isDue) await this.#pace.rest();
		}
		while (this.#open.length > 0) this.#finish();
	}

	close(): void {
		this.#from.close();
		this.#to.close();
	}

	async #copy(found: Found): Promise<void> {
		const { raw, stats } = found;
		const entry = looksOf(found);
		if (stats.isDirectory()) {
			mkdirSync(this.#to.at(raw), 0o700);
			this.#open.push({ entry, raw });
			return;
		}
		const first = stats.nlink > 1n ? this.#first.get(stats.ino) : undefined;
		if (first !== undefined) return this.#to.link(first, raw);
		if (stats.nlink > 1n) this.#first.set(stats.ino, raw);
		if (stats.isSymbolicLink()) this.#copyLink(found);
		else await this.#copyFile(found);
		this.#dress(entry, raw);
	}

	#copyLink({ prefix, name, raw }: Found): void {
		symlinkSync(readlinkSync(at(prefix, name), { encoding: "buffer" }), this.#to.at(raw));
	}

	async #copyFile(found: Found): Promise<void> {
		const { prefix, name, raw, stats } = found;
		const path = this.#to.at(raw);
		if (stats.blocks * 512n < stats.size) await this.#copyHoles(found);
		else if (Number(stats.size) < long) copyFileSync(at(prefix, name), path, constants.COPYFILE_FICLONE);
		else await copyFile(at(prefix, name), path, constants.COPYFILE_FICLONE);
	}

	/** A file with holes is copied piece by piece, so that they stay holes. */
	async #copyHoles({ prefix, name, raw }: Found): Promise<void> {
		const from = openFile(prefix, name);
		if (from === undefined) throw new Error(`${raw} is no file any more`);
		const to = openSync(this.#to.at(raw), "wx", 0o600);
		try {
			const buffer = Buffer.allocUnsafeSlow(pieceSize);
			const { size } = fstatSync(from);
			ftruncateSync(to, size);
			for (let position = 0; position < size; position += pieceSize) {
				const bytes = buffer.subarray(0, readFully(from, buffer, position));
				if (!isZero(bytes)) writeFully(to, bytes, position);
				if (this.#pace.isDue) await this.#pace.rest();
			}
		} finally {
			closeSync(from);
			closeSync(to);
		}
	}

	#finish(): void {
		const folder = this.#open.pop();
		if (folder) this.#dress(folder.entry, folder.raw);
	}

	#dress(entry: Entry, raw: string): void {
		const stats = this.#to.look(raw);
		if (stats) dress(this.#to.at(raw), stats, entry, this.#owner);
	}
}

function looksOf({ raw, stats }: Found): Entry {
	const type = stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "symlink" : "file";
	const look = { mode: Number(stats.mode) & 0o7777, modified: String(stats.mtimeNs) };
	return { path: nameOf(raw), type, size: 0, pieces: [], ...look };
}

/** Who is to own what lies in this folder: the user given, with the group that the folder or the one around it has. */
export function ownershipOf(folder: string, uid: number | null): Ownership | null {
	if (uid === null) return null;
	const around = existsSync(folder) ? folder : join(folder, "..");
	return { uid, gid: existsSync(around) ? statSync(around).gid : -1 };
}
