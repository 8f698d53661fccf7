import { rmSync } from "node:fs";
import type { Change, Listing } from "../volumes/volume.ts";
import { writeAmended } from "./amended.ts";
import { entriesIn, keptIn, ListingFiles } from "./listing-files.ts";

/** What is said before a listing. */
export interface ListingAbout {
	readonly entries: number;
	readonly bytes: number;
	readonly digest?: string | undefined;
	/** What follows: all entries; what is otherwise than in the one that is known; or nothing, since it is that one. */
	readonly as: "whole" | "changes" | "known";
}

/** Listings as a node tells them to the machine where a target is: in a file as a whole, however little of one had to be sent. */
export class Listings {
	readonly #files: ListingFiles;
	#known: string | null | undefined;
	#listing: Listing | undefined;

	constructor(folder: string) {
		this.#files = new ListingFiles(folder);
	}

	/** The one that was told last. */
	get last(): Listing {
		if (!this.#listing) throw new Error("There is no listing yet");
		return this.#listing;
	}

	/** The digest of one that is here as a whole; null: none is. */
	known(): string | null {
		if (this.#known === undefined) this.#known = this.#files.whole();
		return this.#known;
	}

	/** Answers whether it is here now; if not, it has to be told as a whole. */
	async take(about: ListingAbout, blocks: AsyncIterable<Buffer>): Promise<boolean> {
		if (about.as === "changes") return this.#amend(about, blocks);
		if (about.as === "known") return this.#isKnown(about);
		const part = this.#files.part();
		await keptIn(part, blocks);
		this.#has(about, this.#files.named(part));
		return true;
	}

	#isKnown(about: ListingAbout): boolean {
		const known = this.known();
		if (known === null || known !== about.digest) return false;
		// What it has otherwise than the one before it may be known too.
		if (this.#listing?.digest !== known) this.#has(about, known);
		return true;
	}

	async #amend(about: ListingAbout, blocks: AsyncIterable<Buffer>): Promise<boolean> {
		const changes: Change[] = [];
		for await (const block of blocks) changes.push(...changesOf(block));
		const before = this.known();
		if (before === null) return false;
		const part = this.#files.part();
		await writeAmended(this.#files.file(before), changes, part);
		const digest = this.#files.named(part);
		if (digest === about.digest) this.#has(about, digest, (one) => (one === before ? changes : undefined));
		else rmSync(this.#files.file(digest));
		return digest === about.digest;
	}

	#has({ entries, bytes, digest }: ListingAbout, name: string, since?: Listing["since"]): void {
		this.#files.keep(name);
		this.#known = name;
		const batches = () => entriesIn(this.#files.file(name));
		this.#listing = { entries, bytes, batches, ...(digest !== undefined && { digest }), ...(since && { since }) };
	}
}

function changesOf(block: Buffer): Change[] {
	return block
		.toString()
		.split("\n")
		.flatMap((line) => (line ? (JSON.parse(line) as Change) : []));
}
