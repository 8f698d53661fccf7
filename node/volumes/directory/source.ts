import { closeSync } from "node:fs";
import { join } from "node:path";
import { Pace } from "../pace.ts";
import { type Entry, type Piece, type PieceName, pieceSize, type Source } from "../volume.ts";
import { openFile, readFully } from "./content.ts";
import { Folders, isGone } from "./folders.ts";
import { folderOf, nameOf, rawPathOf } from "./name.ts";
import { Removal } from "./removal.ts";
import { survey } from "./survey.ts";

/** What `read` gives at once, about. */
const batchBytes = 2 * 1024 * 1024;

/** A folder with all that is in it, as the old provider gives it away. */
export class DirectorySource implements Source {
	readonly #root: string;
	readonly #scratch: string;
	readonly #only: ((raw: string) => boolean) | undefined;

	/** `only` limits it to some names in the folder. */
	constructor(root: string, scratch: string, only?: (raw: string) => boolean) {
		this.#root = root;
		this.#scratch = scratch;
		this.#only = only;
	}

	list({ frozen, signal }: { frozen: boolean; signal: AbortSignal }): AsyncIterable<readonly Entry[]> {
		const only = this.#only && { only: this.#only };
		return survey({ root: this.#root, scratch: join(this.#scratch, "seen"), frozen, signal, ...only });
	}

	async *read(wanted: readonly PieceName[], signal: AbortSignal): AsyncGenerator<readonly Piece[]> {
		const reader = new PieceReader(this.#root);
		const pace = new Pace(signal);
		// Two that take turns: while one batch is used, the next is read, and collecting garbage costs more than reading.
		const size = Math.min(batchBytes, wanted.length * pieceSize);
		let [buffer, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
		try {
			for (let next = 0; next < wanted.length; ) {
				const batch: Piece[] = [];
				for (let used = 0; next < wanted.length && used + pieceSize <= buffer.length; next++) {
					const name = wanted[next] as PieceName;
					const bytes = reader.read(name, buffer.subarray(used, used + pieceSize));
					if (bytes) batch.push({ path: name.path, index: name.index, bytes });
					used += bytes?.length ?? 0;
					if (pace.isDue) await pace.rest();
				}
				if (batch.length > 0) yield batch;
				[buffer, other] = [other, buffer];
			}
		} finally {
			reader.close();
		}
	}

	async close(): Promise<void> {}

	async forget(): Promise<void> {
		await new Removal().remove(this.#scratch);
	}
}

/** Reads pieces out of a tree; the file read last stays open for its next piece. */
export class PieceReader {
	readonly #folders: Folders;
	#open: { readonly path: string; readonly fd: number } | undefined;

	constructor(root: string) {
		this.#folders = new Folders(root);
	}

	/** The piece's bytes, at the start of this room for them; undefined: there is nothing. */
	read({ path, index }: PieceName, room: Buffer): Buffer | undefined {
		const fd = this.#file(path);
		const length = fd === undefined ? 0 : readFully(fd, room, index * pieceSize);
		return length > 0 ? room.subarray(0, length) : undefined;
	}

	close(): void {
		this.#closeFile();
		this.#folders.close();
	}

	#file(path: string): number | undefined {
		if (this.#open?.path === path) return this.#open.fd;
		this.#closeFile();
		const raw = rawPathOf(path);
		const fd = this.#opened(raw);
		if (fd !== undefined) this.#open = { path, fd };
		return fd;
	}

	#opened(raw: string): number | undefined {
		try {
			return openFile(this.#folders.at(folderOf(raw)), nameOf(raw));
		} catch (error) {
			if (isGone(error)) return undefined;
			throw error;
		}
	}

	#closeFile(): void {
		if (this.#open) closeSync(this.#open.fd);
		this.#open = undefined;
	}
}
