import { lineOf } from "../transfer/lines.ts";
import type { Entry, Piece, PieceName } from "../volumes/volume.ts";

/** Pieces travel together until a block has about this many bytes; it may be longer by one piece and its names. */
const blockSize = 1024 * 1024;
const mostLength = 2 * blockSize;
const headSize = 12;

/** Collects pieces for one block: number, lengths of path and bytes, path, bytes. The block is used again after it was taken twice. */
export class PiecePacker {
	#buffer = Buffer.allocUnsafeSlow(mostLength);
	#other = Buffer.allocUnsafeSlow(mostLength);
	#used = 0;

	/** Whether the next piece should rather begin a block of its own. */
	get isFull(): boolean {
		return this.#used >= blockSize;
	}

	get isEmpty(): boolean {
		return this.#used === 0;
	}

	/** `path` is left empty where the number says which piece it is. */
	add(number: number, path: string, bytes: Uint8Array): void {
		const at = this.#used + headSize;
		const length = this.#buffer.write(path, at);
		this.#buffer.writeUInt32BE(number, this.#used);
		this.#buffer.writeUInt32BE(length, this.#used + 4);
		this.#buffer.writeUInt32BE(bytes.length, this.#used + 8);
		this.#buffer.set(bytes, at + length);
		this.#used = at + length + bytes.length;
	}

	take(): Buffer {
		const taken = this.#buffer.subarray(0, this.#used);
		[this.#buffer, this.#other] = [this.#other, this.#buffer];
		this.#used = 0;
		return taken;
	}
}

/** The pieces in a block, as views into it. */
export function* unpacked(block: Buffer): Generator<{ number: number; path: string; bytes: Buffer }> {
	for (let at = 0; at < block.length; ) {
		if (at + headSize > block.length) throw new Error("A block ends in the middle of a piece");
		const start = at + headSize + block.readUInt32BE(at + 4);
		const stop = start + block.readUInt32BE(at + 8);
		if (stop > block.length) throw new Error("A block ends in the middle of a piece");
		yield {
			number: block.readUInt32BE(at),
			path: block.toString("utf8", at + headSize, start),
			bytes: block.subarray(start, stop),
		};
		at = stop;
	}
}

/** Names of pieces that follow each other in one entry: its path, the first, how many. */
export type Run = readonly [path: string, first: number, count: number];

export function runsOf(names: readonly PieceName[]): Run[] {
	const runs: [string, number, number][] = [];
	for (const { path, index } of names) {
		const last = runs.at(-1);
		if (last && last[0] === path && last[1] + last[2] === index) last[2]++;
		else runs.push([path, index, 1]);
	}
	return runs;
}

export function namesOf(runs: readonly Run[]): PieceName[] {
	return runs.flatMap(([path, first, count]) =>
		Array.from({ length: count }, (_, at) => ({ path, index: first + at })),
	);
}

/** Which of the pieces asked for each one is that a Source gives, in order and some left out. */
export class Numbering {
	readonly #names: readonly PieceName[];
	#at = 0;

	constructor(names: readonly PieceName[]) {
		this.#names = names;
	}

	of({ path, index }: Piece): number {
		for (; this.#at < this.#names.length; this.#at++) {
			const name = this.#names[this.#at];
			if (name?.index === index && name.path === path) return this.#at++;
		}
		throw new Error(`The source gave piece ${index} of ${path} out of order`);
	}
}

const linesSize = 256 * 1024;

/** Entries as lines of a listing, in blocks. */
export async function* blocksOf(batches: AsyncIterable<readonly Entry[]>): AsyncGenerator<Buffer> {
	let text = "";
	for await (const batch of batches)
		for (const entry of batch) {
			text += `${lineOf(entry)}\n`;
			if (text.length < linesSize) continue;
			yield Buffer.from(text);
			text = "";
		}
	if (text) yield Buffer.from(text);
}
