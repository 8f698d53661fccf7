import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashOf } from "../piece.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { lengthOf, linesIn, piecesIn } from "./pieces.ts";

/** Where bytes of a piece are, or have to go. */
interface Spot {
	readonly file: string;
	readonly index: number;
	readonly length: number;
}

/**
 * Contents of entries, each in a file that is named by what it must become and grows piece by piece. Nothing is remembered about
 * which pieces are there: a shelf opened again reads its files and finds out by their hashes.
 */
export class Shelf {
	readonly #folder: string;
	/** Every piece that is here. */
	readonly #here = new Map<string, Spot>();
	/** Pieces that were asked for, and all the spots they go to. */
	readonly #asked = new Map<string, Spot[]>();

	constructor(folder: string) {
		this.#folder = folder;
	}

	async open(signal: AbortSignal): Promise<void> {
		await mkdir(this.#folder, { recursive: true, mode: 0o700 });
		const files = await readdir(this.#folder);
		for (const file of files.filter((one) => !one.endsWith(".pieces")))
			await this.#take(file, await this.#expected(file), signal);
	}

	/** A round begins: what was asked for and has not come may be asked for again. */
	begin(): void {
		this.#asked.clear();
	}

	/**
	 * Makes room for an entry and fills in what is here already under whatever name. Answers the indexes of pieces to ask for;
	 * not of those that were asked for before.
	 */
	async lacking(entry: Entry): Promise<readonly number[]> {
		const file = shelfName(entry);
		const wanted: number[] = [];
		for (const [index, hash] of entry.pieces.entries()) {
			const spot = { file, index, length: lengthOf(entry.size, index) };
			const known = this.#here.get(hash);
			if (known?.file === file && known.index === index) continue;
			if (index === 0 && entry.pieces.length > 1) await this.#name(entry);
			if (known) await this.#copy(known, spot);
			else if (this.#ask(hash, spot)) wanted.push(index);
		}
		return wanted;
	}

	/** Puts a piece everywhere it is wanted. */
	async put(hash: string, bytes: Uint8Array): Promise<void> {
		for (const spot of this.#asked.get(hash) ?? []) {
			if (bytes.length !== spot.length) continue;
			await this.#write(spot, bytes);
			this.#here.set(hash, spot);
		}
		this.#asked.delete(hash);
	}

	/** Reads an entry's content again; answers the indexes of pieces that are lacking or damaged, which are forgotten. */
	async damage(entry: Entry, signal: AbortSignal): Promise<readonly number[]> {
		const damaged: number[] = [];
		let index = 0;
		const path = this.path(entry);
		for await (const bytes of await existing(path, signal)) {
			const hash = entry.pieces[index];
			if (hash === undefined) break;
			if (hashOf(bytes) !== hash) {
				damaged.push(index);
				this.#here.delete(hash);
			}
			index++;
		}
		for (; index < entry.pieces.length; index++) {
			damaged.push(index);
			this.#here.delete(entry.pieces[index] ?? "");
		}
		for (const one of damaged)
			this.#ask(entry.pieces[one] ?? "", { file: shelfName(entry), index: one, length: lengthOf(entry.size, one) });
		return damaged;
	}

	/** The file with an entry's content. */
	path(entry: Entry): string {
		return join(this.#folder, shelfName(entry));
	}

	/** The lines of an entry, one in memory at a time. */
	async *lines(entry: Entry, signal: AbortSignal): AsyncGenerator<string> {
		if (entry.size > 0) yield* linesIn(this.path(entry), signal);
	}

	/** Removes the files of all entries but these. */
	async keepOnly(files: ReadonlySet<string>): Promise<void> {
		for (const file of await readdir(this.#folder))
			if (!files.has(file.replace(/\.pieces$/, ""))) await rm(join(this.#folder, file), { force: true });
		for (const [hash, { file }] of this.#here) if (!files.has(file)) this.#here.delete(hash);
	}

	/** Asks for a piece once, however many spots want it. */
	#ask(hash: string, spot: Spot): boolean {
		const spots = this.#asked.get(hash);
		if (spots) spots.push(spot);
		else this.#asked.set(hash, [spot]);
		return spots === undefined;
	}

	async #copy(from: Spot, to: Spot): Promise<void> {
		const handle = await open(join(this.#folder, from.file));
		try {
			const { bytesRead, buffer } = await handle.read(
				Buffer.alloc(from.length),
				0,
				from.length,
				from.index * pieceSize,
			);
			await this.#write(to, buffer.subarray(0, bytesRead));
		} finally {
			await handle.close();
		}
	}

	#open: { file: string; handle: FileHandle } | null = null;

	async #write(spot: Spot, bytes: Uint8Array): Promise<void> {
		if (this.#open?.file !== spot.file) {
			await this.close();
			const path = join(this.#folder, spot.file);
			const handle = await open(path, "r+").catch(() => open(path, "w+", 0o600));
			this.#open = { file: spot.file, handle };
		}
		await this.#open?.handle.write(bytes, 0, bytes.length, spot.index * pieceSize);
	}

	async close(): Promise<void> {
		await this.#open?.handle.close();
		this.#open = null;
	}

	/** Says beside a file of several pieces which ones they are to be. */
	async #name(entry: Entry): Promise<void> {
		await writeFile(join(this.#folder, `${shelfName(entry)}.pieces`), entry.pieces.join("\n"), { mode: 0o600 });
	}

	async #expected(file: string): Promise<readonly string[]> {
		if (file.startsWith("one-")) return [file.slice(4)];
		const names = await readFile(join(this.#folder, `${file}.pieces`), "utf8").catch(() => "");
		return names.split("\n");
	}

	async #take(file: string, expected: readonly string[], signal: AbortSignal): Promise<void> {
		let index = 0;
		for await (const bytes of piecesIn(join(this.#folder, file), signal)) {
			const hash = hashOf(bytes);
			if (hash === expected[index]) this.#here.set(hash, { file, index, length: bytes.length });
			index++;
		}
	}
}

async function existing(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | readonly Uint8Array[]> {
	const handle = await open(path).catch(() => null);
	await handle?.close();
	return handle ? piecesIn(path, signal) : [];
}

/** A file's name: of a single piece its hash, of several the hash of all theirs. */
export function shelfName(entry: Entry): string {
	if (entry.pieces.length === 1) return `one-${entry.pieces[0]}`;
	return `all-${digestOf(entry)}`;
}

/** Names the content of an entry, whatever it is called. */
export const digestOf = (entry: Entry) =>
	createHash("sha256")
		.update(`${entry.size} ${entry.pieces.join(" ")}`)
		.digest("base64url");
