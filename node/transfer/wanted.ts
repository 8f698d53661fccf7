import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { type Entry, type PieceName, pieceSize } from "../volumes/volume.ts";
import { entryOf, Lines, pathOf } from "./lines.ts";
import { mostWants, type Want } from "./wants.ts";

/** How much is wanted. Items are entries of which anything is wanted. */
export interface Amount {
	readonly pieces: number;
	readonly bytes: number;
	readonly items: number;
}

/** Wants for one request, in ascending order. */
export interface Batch extends Amount {
	readonly wants: readonly Want[];
}

/** Bytes of some pieces of an entry. */
export function bytesOf(entry: Entry, first: number, count: number): number {
	return Math.max(0, Math.min(entry.size, (first + count) * pieceSize) - first * pieceSize);
}

/** Line, first and count as 32 bit numbers, then the bytes they stand for. */
const recordSize = 20;
const blockSize = recordSize * 4096;
/** Names looked up in one go through the listing. */
const handful = 16_384;

/** All that a target lacks, kept in a file: it may be more than fits in memory, and a target says it all before it takes anything. */
export class Wanted {
	readonly #file: string;
	readonly #fd: number;
	readonly #lines: Finder;
	readonly #block = Buffer.allocUnsafe(blockSize);
	#used = 0;
	#line = -1;
	#names = new Map<string, number[]>();
	#waiting = 0;
	pieces = 0;
	bytes = 0;
	items = 0;

	/** Begins anew if the file is there. */
	constructor(file: string, listing: string) {
		this.#file = file;
		this.#fd = openSync(file, "w", 0o600);
		this.#lines = new Finder(listing);
	}

	/** In the order of the listing it is quick; every other order works. */
	add(names: readonly PieceName[]): void {
		for (const { path, index } of names) {
			const indexes = this.#names.get(path);
			if (indexes) indexes.push(index);
			else this.#names.set(path, [index]);
		}
		this.#waiting += names.length;
		if (this.#waiting >= handful) this.#find();
	}

	/** To be called once after the last `add`. */
	end(): void {
		this.#find();
		this.#flush();
		this.#lines.close();
		closeSync(this.#fd);
	}

	/** What was added, cut where a request would be too long or go backwards. */
	*batches(): Generator<Batch> {
		const fd = openSync(this.#file, "r");
		try {
			let batch = new Collected();
			for (const [want, bytes] of records(fd)) {
				if (!batch.fits(want)) {
					yield batch;
					batch = new Collected();
				}
				batch.add(want, bytes);
			}
			if (batch.wants.length > 0) yield batch;
		} finally {
			closeSync(fd);
		}
	}

	#find(): void {
		const names = this.#names;
		this.#names = new Map();
		this.#waiting = 0;
		this.#lines.find(names, (line, entry, indexes) => {
			for (const [first, count] of runs(indexes)) {
				if (first + count > entry.pieces.length) throw new Error(`${entry.path} has no piece ${first + count - 1}`);
				this.#write({ line, first, count }, bytesOf(entry, first, count));
			}
		});
	}

	#write({ line, first, count }: Want, bytes: number): void {
		if (this.#used === blockSize) this.#flush();
		this.#block.writeUInt32LE(line, this.#used);
		this.#block.writeUInt32LE(first, this.#used + 4);
		this.#block.writeUInt32LE(count, this.#used + 8);
		this.#block.writeDoubleLE(bytes, this.#used + 12);
		this.#used += recordSize;
		this.pieces += count;
		this.bytes += bytes;
		if (line !== this.#line) this.items++;
		this.#line = line;
	}

	#flush(): void {
		for (let at = 0; at < this.#used; ) at += writeSync(this.#fd, this.#block, at, this.#used - at);
		this.#used = 0;
	}
}

class Collected implements Batch {
	readonly wants: Want[] = [];
	pieces = 0;
	bytes = 0;
	items = 0;

	fits({ line, first }: Want): boolean {
		const last = this.wants.at(-1);
		if (!last || this.wants.length === mostWants) return !last;
		return line > last.line || (line === last.line && first >= last.first + last.count);
	}

	add(want: Want, bytes: number): void {
		if (want.line !== this.wants.at(-1)?.line) this.items++;
		this.wants.push(want);
		this.pieces += want.count;
		this.bytes += bytes;
	}
}

function* records(fd: number): Generator<[Want, number]> {
	const block = Buffer.allocUnsafe(blockSize);
	for (let read = readSync(fd, block); read > 0; read = readSync(fd, block))
		for (let at = 0; at < read; at += recordSize)
			yield [
				{ line: block.readUInt32LE(at), first: block.readUInt32LE(at + 4), count: block.readUInt32LE(at + 8) },
				block.readDoubleLE(at + 12),
			];
}

/** Numbers as consecutive runs: first and count. */
function runs(indexes: readonly number[]): [first: number, count: number][] {
	const runs: [number, number][] = [];
	for (const index of indexes.toSorted((a, b) => a - b)) {
		const run = runs.at(-1);
		if (run && index === run[0] + run[1]) run[1]++;
		else runs.push([index, 1]);
	}
	return runs;
}

/** Finds entries by their paths, going through the listing from where it is and, if it must, once more from the top. */
class Finder {
	readonly #file: string;
	#lines: Lines;

	constructor(file: string) {
		this.#file = file;
		this.#lines = new Lines(file);
	}

	find(names: Map<string, number[]>, found: (line: number, entry: Entry, indexes: number[]) => void): void {
		const until = this.#lines.at;
		for (let turns = 0; names.size > 0; ) {
			const line = this.#lines.next();
			if (line) this.#look(line, names, found);
			else if (turns++ === 0) this.#rewind();
			if (turns > 0 && this.#lines.at >= until && names.size > 0 && (!line || this.#lines.at > until))
				throw new Error(`The target asks for ${names.keys().next().value}, which is not in the listing`);
		}
	}

	close(): void {
		this.#lines.close();
	}

	#look(line: Buffer, names: Map<string, number[]>, found: (line: number, entry: Entry, indexes: number[]) => void) {
		const path = pathOf(line);
		const indexes = names.get(path);
		if (!indexes) return;
		names.delete(path);
		found(this.#lines.at - 1, entryOf(line), indexes);
	}

	#rewind(): void {
		this.#lines.close();
		this.#lines = new Lines(this.#file);
	}
}
