import { closeSync, fstatSync, ftruncateSync } from "node:fs";
import type { Pace } from "../pace.ts";
import { hashLength, hashOf, lengthAt, zeroPiece } from "../piece.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { readFully } from "./content.ts";
import type { Donors } from "./donors.ts";
import { pieceAt, stagedSignatureOf } from "./records.ts";
import type { Part, Round } from "./round.ts";
import { type Tree, writeFully } from "./tree.ts";

export interface Means {
	readonly tree: Tree;
	readonly round: Round;
	/** Files of this tree that are whole. */
	readonly donors: () => Promise<Donors>;
	/** Where a file can be made. */
	readonly beside: string;
	readonly touch: (raw: string) => void;
	readonly pace: Pace;
}

const zeros = Buffer.alloc(pieceSize);
const unknown = " ".repeat(hashLength);

/** Reads one file of a tree and makes it what the listing says, as far as what is here goes. */
export class Mending {
	readonly #means: Means;
	readonly #entry: Entry;
	readonly #raw: string;
	readonly #buffer: Buffer;
	#fd = -1;
	/** Whether nobody else has the file under another name, so that it can be changed. */
	#isAlone = false;

	constructor(means: Means, entry: Entry, raw: string, buffer: Buffer) {
		this.#means = means;
		this.#entry = entry;
		this.#raw = raw;
		this.#buffer = buffer;
	}

	/** Answers which pieces are lacking or damaged. */
	async mend(): Promise<readonly number[]> {
		const { tree, round, pace } = this.#means;
		this.#fd = await tree.open(this.#raw);
		try {
			const stats = fstatSync(this.#fd);
			this.#isAlone = stats.nlink === 1;
			const part = round.part(this.#raw, this.#fd);
			if (stats.size !== this.#entry.size) await this.#change(() => ftruncateSync(this.#fd, this.#entry.size));
			const missing: number[] = [];
			for (let index = 0; index < this.#entry.pieces.length; index++) {
				if (!(await this.#mendPiece(index, part))) missing.push(index);
				if (pace.isDue) await pace.rest();
			}
			this.#keep(missing);
			return missing;
		} finally {
			closeSync(this.#fd);
		}
	}

	async #mendPiece(index: number, part: Part | undefined): Promise<boolean> {
		const name = this.#entry.pieces[index] as string;
		if (part && pieceAt(part.pieces, index) === name) return true;
		if (this.#isRight(index, name)) return true;
		const bytes = name === zeroPiece ? zeros : (await this.#means.donors()).find(name);
		const length = lengthAt(this.#entry.size, index);
		if (bytes?.length !== length) return false;
		await this.#change(() => writeFully(this.#fd, bytes, index * pieceSize));
		return true;
	}

	#isRight(index: number, name: string): boolean {
		const bytes = this.#buffer.subarray(0, lengthAt(this.#entry.size, index));
		if (readFully(this.#fd, bytes, index * pieceSize) < bytes.length) return false;
		return hashOf(bytes) === name;
	}

	async #change(work: () => void): Promise<void> {
		const { tree, touch, beside } = this.#means;
		touch(this.#raw);
		if (!this.#isAlone) {
			await tree.part(this.#raw, beside);
			closeSync(this.#fd);
			this.#fd = await tree.open(this.#raw);
			this.#isAlone = true;
		}
		await tree.withRights(this.#raw, work);
	}

	/** What holds of a long file need not be read again when the rest has come. */
	#keep(missing: readonly number[]): void {
		const { round } = this.#means;
		if (missing.length === 0) round.done(this.#raw);
		if (missing.length === 0 || this.#entry.pieces.length === 1) return;
		const pieces = this.#entry.pieces.map((name, index) => (missing.includes(index) ? unknown : name)).join("");
		round.keep(this.#raw, { signature: stagedSignatureOf(fstatSync(this.#fd, { bigint: true })), pieces });
	}
}
