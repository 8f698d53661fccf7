import { fstatSync } from "node:fs";
import { crc32 } from "node:zlib";
import { hashLength } from "../piece.ts";
import type { Listing } from "../volume.ts";
import { stagedSignatureOf } from "./records.ts";

/** Sums kept at most; pieces beyond are checked by their SHA-256, at four times the cost. */
const mostSums = 250_000;

/** A file of which some pieces are known to be as listed as long as it looks like this. */
export interface Part {
	signature: string;
	/** Names of the pieces it held; blanks for unknown ones. */
	pieces: string;
}

/** What this process itself has seen of a round's pieces, to spare it reading or hashing them all again. */
export class Round {
	readonly #listing: Listing;
	/** By path; most files have one piece, and a number takes less room than a list. */
	readonly #sums = new Map<string, number | number[]>();
	#count = 0;
	/** Files of several pieces, some of which stay as they are. */
	readonly #parts = new Map<string, Part>();

	constructor(listing: Listing) {
		this.#listing = listing;
	}

	/** Whether it is about this listing: only then do its pieces have the names that were checked. */
	isAbout(listing: Listing): boolean {
		return this.#listing === listing;
	}

	/** Notes a checked piece by a sum that is cheap to compare. */
	note(raw: string, index: number, bytes: Uint8Array): void {
		if (this.#count >= mostSums) return;
		const known = this.#sums.get(raw);
		const sums = typeof known === "number" ? [known] : (known ?? []);
		if (sums[index] === undefined) this.#count++;
		sums[index] = crc32(bytes);
		this.#sums.set(raw, sums.length === 1 ? (sums[0] as number) : sums);
	}

	/** Whether the bytes are those that were noted; undefined: none were. */
	holds(raw: string, index: number, bytes: Uint8Array): boolean | undefined {
		const known = this.#sums.get(raw);
		const sum = typeof known === "number" ? [known][index] : known?.[index];
		return sum === undefined ? undefined : sum === crc32(bytes);
	}

	keep(raw: string, part: Part): void {
		this.#parts.set(raw, part);
	}

	/** What is known of the file that is open, if it still looks like that. */
	part(raw: string, fd: number): Part | undefined {
		const part = this.#parts.get(raw);
		if (!part) return undefined;
		if (part.signature === stagedSignatureOf(fstatSync(fd, { bigint: true }))) return part;
		this.#parts.delete(raw);
		return undefined;
	}

	/** Lets go of the names of pieces that were overwritten, and notes how the file looks now. */
	overwritten(part: Part, indexes: readonly number[], fd: number): void {
		for (const index of indexes) part.pieces = withoutPiece(part.pieces, index);
		part.signature = stagedSignatureOf(fstatSync(fd, { bigint: true }));
	}

	done(raw: string): void {
		this.#parts.delete(raw);
	}
}

function withoutPiece(pieces: string, index: number): string {
	const start = index * hashLength;
	if (start >= pieces.length) return pieces;
	return pieces.slice(0, start) + " ".repeat(hashLength) + pieces.slice(start + hashLength);
}
