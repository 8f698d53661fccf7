import { closeSync, openSync, readSync } from "node:fs";
import { Problem } from "#protocol/problem.ts";
import type { Change, Entry, Listing } from "../volumes/volume.ts";

/** Entries of one batch, and what their lines may have together unless a single one has more. */
const batchSize = 512;
const blockSize = 256 * 1024;
const newline = 10;

/** A line of a listing without its newline: the entry's canonical JSON (RFC 8785). */
export function lineOf(entry: Entry): string {
	const { meta, mode, modified, path, pieces, size, target, type } = entry;
	return JSON.stringify({ meta: meta && sorted(meta), mode, modified, path, pieces, size, target, type });
}

function sorted(meta: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(meta).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reads a file line after line with a bounded part of it in memory: no more than twice its longest line. */
export class Lines {
	readonly #fd: number;
	readonly #most: number;
	#buffer = Buffer.allocUnsafe(blockSize);
	#start = 0;
	#end = 0;
	/** How many lines were read or skipped: the number of the line that comes next. */
	at = 0;

	/** Reading throws for a line that is longer than `most` bytes. */
	constructor(file: string, most = Number.POSITIVE_INFINITY) {
		this.#fd = openSync(file, "r");
		this.#most = most;
	}

	/** The next line without its newline, good until the one after it is asked for; undefined at the end. */
	next(): Buffer | undefined {
		let stop = this.#buffer.indexOf(newline, this.#start);
		while (stop < 0 || stop >= this.#end) {
			const searched = this.#end - this.#start;
			if (!this.#fill()) return undefined;
			stop = this.#buffer.indexOf(newline, this.#start + searched);
		}
		const line = this.#buffer.subarray(this.#start, stop);
		this.#start = stop + 1;
		this.at++;
		return line;
	}

	/** The line with this number, which may not be behind us; undefined when there are fewer. */
	line(number: number): Buffer | undefined {
		while (this.at < number) if (!this.next()) return undefined;
		return this.next();
	}

	/** Whether bytes are left that no newline ends, once `next` found nothing more. */
	get isTorn(): boolean {
		return this.#end > this.#start;
	}

	close(): void {
		closeSync(this.#fd);
	}

	#fill(): boolean {
		if (this.#start > 0) {
			this.#buffer.copyWithin(0, this.#start, this.#end);
			this.#end -= this.#start;
			this.#start = 0;
		}
		if (this.#end === this.#buffer.length) {
			if (this.#end > this.#most) throw new Problem("copy-refused", { reason: "a line is too long" });
			const larger = Buffer.allocUnsafe(this.#buffer.length * 2);
			this.#buffer.copy(larger);
			this.#buffer = larger;
		}
		const read = readSync(this.#fd, this.#buffer, this.#end, this.#buffer.length - this.#end, null);
		this.#end += read;
		return read > 0;
	}
}

/** Entries of a listing by the numbers of their lines, which may only grow. */
export class Entries {
	readonly #lines: Lines;
	#entry: Entry | undefined;

	constructor(file: string) {
		this.#lines = new Lines(file);
	}

	at(number: number): Entry | undefined {
		if (number !== this.#lines.at - 1) {
			const line = this.#lines.line(number);
			this.#entry = line && entryOf(line);
		}
		return this.#entry;
	}

	close(): void {
		this.#lines.close();
	}
}

/** What is otherwise than in the listing with the digest `since`. */
export interface Changes {
	readonly since: string;
	readonly all: readonly Change[];
}

/** A listing that lies in a file whose lines were checked. */
export class ListingFile implements Listing {
	readonly file: string;
	readonly entries: number;
	readonly bytes: number;
	readonly digest: string;
	readonly #changes: Changes | undefined;

	/** `changes`: what it has otherwise than one older listing. */
	constructor(
		file: string,
		{ entries, bytes, listing }: { entries: number; bytes: number; listing: string },
		changes?: Changes,
	) {
		this.file = file;
		this.entries = entries;
		this.bytes = bytes;
		this.digest = listing;
		this.#changes = changes;
	}

	since(digest: string): readonly Change[] | undefined {
		return this.#changes?.since === digest ? this.#changes.all : undefined;
	}

	async *batches(): AsyncGenerator<readonly Entry[]> {
		const lines = new Lines(this.file);
		try {
			for (let batch = nextBatch(lines); batch.length > 0; batch = nextBatch(lines)) {
				yield batch;
				// Whoever reads a long listing without ever waiting would keep the node from answering anybody else.
				await new Promise<void>((resolve) => setImmediate(resolve));
			}
		} finally {
			lines.close();
		}
	}
}

function nextBatch(lines: Lines): Entry[] {
	const batch: Entry[] = [];
	for (let length = 0; batch.length < batchSize && length < blockSize; ) {
		const line = lines.next();
		if (!line) break;
		batch.push(entryOf(line));
		length += line.length;
	}
	return batch;
}

/** The entry of a line that was checked before. */
export function entryOf(line: Buffer): Entry {
	return JSON.parse(line.toString()) as Entry;
}

const pathMember = Buffer.from('"path":"');
const metaMember = Buffer.from('{"meta":');

/** The path of such a line alone, several times quicker. In canonical JSON only `meta` can hold another member called path before it. */
export function pathOf(line: Buffer): string {
	if (line.compare(metaMember, 0, metaMember.length, 0, metaMember.length) === 0) return entryOf(line).path;
	const start = line.indexOf(pathMember) + pathMember.length;
	const path = line.toString("utf8", start, line.indexOf('"', start));
	return path.includes("\\") ? entryOf(line).path : path;
}
