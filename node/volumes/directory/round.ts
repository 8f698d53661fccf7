import { fstatSync } from "node:fs";
import { hashLength } from "../piece.ts";
import type { Listing } from "../volume.ts";
import { stagedSignatureOf } from "./records.ts";

/** A file of which some pieces are known to be as listed as long as it looks like this. */
export interface Part {
	signature: string;
	/** Names of the pieces it held; blanks for unknown ones. */
	pieces: string;
}

/** What this process itself has seen of a round's long files, to spare it reading them all again. */
export class Round {
	readonly #listing: Listing;
	/** Files of several pieces, some of which stay as they are. */
	readonly #parts = new Map<string, Part>();

	constructor(listing: Listing) {
		this.#listing = listing;
	}

	/** Whether it is about this listing: only then do its pieces have the names that were checked. */
	isAbout(listing: Listing): boolean {
		return this.#listing === listing;
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
