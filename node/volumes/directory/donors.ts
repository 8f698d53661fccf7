import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { Pace } from "../pace.ts";
import { hashOf } from "../piece.ts";
import { pieceSize } from "../volume.ts";
import { rawOf, textOf } from "./name.ts";
import { PathBook } from "./path-book.ts";
import { PieceTable } from "./piece-table.ts";
import { RecordReader, splitPieces } from "./records.ts";
import { PieceReader } from "./source.ts";
import { survey } from "./survey.ts";

const log = getLogger(["fediversity", "volumes"]);

/** A folder on this node from which pieces may be taken, or just some names in it. */
export interface Donor {
	readonly root: string;
	readonly only?: (raw: string) => boolean;
}

/** Pieces that are on this node already, in any of several trees. The first tree is the one being built. */
export class Donors {
	readonly #trees: readonly Donor[];
	readonly #book: PathBook;
	readonly #table = new PieceTable();
	readonly #readers = new Map<number, PieceReader>();
	readonly #room = Buffer.allocUnsafeSlow(pieceSize);

	constructor(trees: readonly Donor[], book: string) {
		this.#trees = trees;
		this.#book = new PathBook(book);
	}

	/** What the tree being built held when it was whole the last time. */
	async learn(records: string, pace: Pace): Promise<void> {
		const reader = new RecordReader(records);
		try {
			for (let record = reader.next(); record; record = reader.next()) {
				this.add(0, record.raw, splitPieces(record.pieces));
				if (pace.isDue) await pace.rest();
			}
		} finally {
			reader.close();
		}
	}

	/** Reads what the other trees hold; what was read of them before is remembered in `scratch`. */
	async explore(scratch: string, signal: AbortSignal): Promise<void> {
		for (const [index, tree] of this.#trees.entries())
			if (index > 0) await this.#exploreOne(index, tree, join(scratch, String(index)), signal);
	}

	add(tree: number, raw: string, pieces: readonly string[]): void {
		if (pieces.length === 0) return;
		const place = this.#book.add(tree, raw);
		for (const [index, piece] of pieces.entries()) this.#table.set(piece, place, index);
	}

	/** The piece's bytes, checked; good until the next is asked for. Undefined: no tree has it. */
	find(hash: string): Buffer | undefined {
		const found = this.#table.get(hash);
		if (!found) return undefined;
		const { tree, raw } = this.#book.at(found.place);
		const bytes = this.#reader(tree).read({ path: textOf(raw), index: found.index }, this.#room);
		return bytes && hashOf(bytes) === hash ? bytes : undefined;
	}

	close(): void {
		for (const reader of this.#readers.values()) reader.close();
		this.#book.close();
	}

	async #exploreOne(index: number, { root, only }: Donor, scratch: string, signal: AbortSignal): Promise<void> {
		try {
			const options = { root, scratch, frozen: false, lenient: true, signal, ...(only && { only }) };
			for await (const batch of survey(options))
				for (const { path, pieces } of batch) this.add(index, rawOf(path), pieces);
		} catch (error) {
			signal.throwIfAborted();
			log.info("Took no pieces from {root}: {error}", { root, error });
		}
	}

	#reader(tree: number): PieceReader {
		const known = this.#readers.get(tree);
		if (known) return known;
		const reader = new PieceReader((this.#trees[tree] as Donor).root);
		this.#readers.set(tree, reader);
		return reader;
	}
}
