import { closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Pace } from "../pace.ts";
import { zeroPiece } from "../piece.ts";
import { type Change, type Entry, type Listing, type PieceName, pieceSize } from "../volume.ts";
import { openFile, readContent } from "./content.ts";
import { type Donor, Donors } from "./donors.ts";
import { isGone } from "./folders.ts";
import { admitted, Inspection } from "./inspection.ts";
import { folderOf, nameOf, textOf } from "./name.ts";
import { PieceTable } from "./piece-table.ts";
import { pieceAt, RecordReader, RecordWriter, splitPieces, stagedSignatureOf } from "./records.ts";
import type { Round } from "./round.ts";
import { type Tree, writeFully } from "./tree.ts";

const batchNames = 1024;
/** Bytes that are rather fetched than looked for in all that is here. */
const little = 8 * 1024 * 1024;

/** What is asked of a stage before a round. */
export interface Questions {
	readonly tree: Tree;
	readonly scratch: string;
	readonly round: Round;
	readonly donors: readonly Donor[];
	/** Whether the tree may have been changed since its records were written. */
	readonly isDirty: boolean;
	/** To be called before the tree is changed, with the path. */
	readonly touch: (raw: string) => void;
	readonly signal: AbortSignal;
}

/** Held by the tree at some path before the round. */
interface Held {
	readonly signature: string;
	readonly pieces: string;
}

/** Finds out which pieces of a listing the node lacks, and puts those that it has elsewhere where they belong. */
export class Asking {
	readonly #q: Questions;
	readonly #pace: Pace;
	readonly #room = Buffer.allocUnsafeSlow(pieceSize);
	readonly #records: RecordReader;
	readonly #inspection = new Inspection();
	readonly #asked = new PieceTable();
	/** What to ask for, by path; kept until all is seen, since what comes may overwrite what others are made of. */
	readonly #wanted: RecordWriter;
	readonly #moves: RecordWriter;
	#made = 0;
	/** So little has changed that it takes less to fetch it than to look whether it is here. */
	#isLittle = false;
	#donors: Donors | undefined;

	constructor(questions: Questions) {
		this.#q = questions;
		this.#pace = new Pace(questions.signal);
		this.#records = new RecordReader(this.#file("known"));
		rmSync(this.#file("made"), { recursive: true, force: true });
		mkdirSync(this.#file("made"));
		this.#wanted = new RecordWriter(this.#file("wanted"));
		this.#moves = new RecordWriter(this.#file("moves"));
	}

	async consider(listing: Listing): Promise<void> {
		for await (const batch of listing.batches())
			for (const entry of batch) {
				const raw = await this.#inspection.admit(entry);
				if (entry.pieces.length > 0) await this.#consider(entry, raw);
				if (this.#pace.isDue) await this.#pace.rest();
			}
		await this.#finish();
	}

	/** The same of a listing whose changes are known since the tree was what another one says. */
	async reconsider(changes: readonly Change[]): Promise<void> {
		const changed = changes.flatMap(({ entry, isAround }) => (entry && !isAround ? [entry] : []));
		this.#isLittle = changed.reduce((sum, { size }) => sum + size, 0) <= little;
		for (const entry of changed) {
			const raw = admitted(entry);
			if (entry.pieces.length > 0) await this.#consider(entry, raw);
			if (this.#pace.isDue) await this.#pace.rest();
		}
		await this.#finish();
	}

	async #finish(): Promise<void> {
		await this.#putInPlace();
		this.#wanted.close();
	}

	*wanted(): Generator<readonly PieceName[]> {
		const reader = new RecordReader(this.#file("wanted"));
		let batch: PieceName[] = [];
		for (let one = reader.next(); one; one = reader.next()) {
			const path = textOf(one.raw);
			for (const index of one.signature.split(" ")) batch.push({ path, index: Number(index) });
			if (batch.length < batchNames) continue;
			yield batch;
			batch = [];
		}
		reader.close();
		if (batch.length > 0) yield batch;
	}

	close(): void {
		this.#records.close();
		this.#wanted.close();
		this.#moves.close();
		this.#donors?.close();
	}

	async #consider(entry: Entry, raw: string): Promise<void> {
		const held = await this.#held(raw);
		const pieces = entry.pieces.join("");
		if (held?.pieces === pieces) return;
		const missing = entry.pieces.flatMap((piece, index) =>
			piece === zeroPiece || (held && pieceAt(held.pieces, index) === piece) ? [] : [index],
		);
		const stays = held !== undefined && entry.pieces.some((piece, index) => pieceAt(held.pieces, index) === piece);
		if (stays && entry.pieces.length > 1) this.#q.round.keep(raw, { ...held });
		const left = await this.#fromHere(entry, raw, missing, stays);
		const asked = left.filter((index) => this.#asks(entry.pieces[index] as string));
		if (asked.length > 0) this.#wanted.add(raw, asked.join(" "), "");
	}

	/** Whether the piece is to be asked for: once. */
	#asks(piece: string): boolean {
		if (this.#asked.get(piece)) return false;
		this.#asked.set(piece, 0, 0);
		return true;
	}

	/** What the tree holds by this path: as its records say or, after something was changed, as reading it shows. */
	async #held(raw: string): Promise<Held | undefined> {
		const record = this.#records.find(raw);
		if (!this.#q.isDirty) return record;
		const fd = this.#opened(raw);
		if (fd === undefined) return undefined;
		try {
			const content = await readContent(fd, this.#room, this.#pace, record, stagedSignatureOf);
			if (content.pieces !== record?.pieces) (await this.#known()).add(0, raw, splitPieces(content.pieces));
			return content;
		} finally {
			closeSync(fd);
		}
	}

	#opened(raw: string): number | undefined {
		try {
			return openFile(this.#q.tree.folders.at(folderOf(raw)), nameOf(raw));
		} catch (error) {
			if (isGone(error)) return undefined;
			throw error;
		}
	}

	/** Takes what other files on this node have; answers what is left. */
	async #fromHere(entry: Entry, raw: string, missing: readonly number[], stays: boolean): Promise<number[]> {
		if (this.#isLittle) return [...missing];
		const donors = await this.#known();
		const left: number[] = [];
		let fd: number | undefined;
		try {
			for (const index of missing) {
				const bytes = donors.find(entry.pieces[index] as string);
				if (bytes) {
					fd ??= await this.#openNew(raw, stays);
					writeFully(fd, bytes, index * pieceSize);
				} else left.push(index);
				if (this.#pace.isDue) await this.#pace.rest();
			}
		} finally {
			if (fd !== undefined) closeSync(fd);
		}
		return left;
	}

	/**
	 * Opens what local pieces are written to: a new file, which takes its place once all is seen, since other entries may
	 * want what is there now; or the file itself if most of it stays.
	 */
	async #openNew(raw: string, stays: boolean): Promise<number> {
		this.#q.touch(raw);
		if (stays) return this.#q.tree.open(raw);
		const name = String(this.#made++);
		this.#moves.add(raw, name, "");
		return openSync(join(this.#file("made"), name), "wx", 0o600);
	}

	async #putInPlace(): Promise<void> {
		this.#moves.close();
		const reader = new RecordReader(this.#file("moves"));
		for (let one = reader.next(); one; one = reader.next()) {
			await this.#q.tree.take(join(this.#file("made"), one.signature), one.raw);
			if (this.#pace.isDue) await this.#pace.rest();
		}
		reader.close();
	}

	/** What is on this node; nobody looks before something is missing. */
	async #known(): Promise<Donors> {
		if (this.#donors) return this.#donors;
		const trees = [{ root: this.#q.tree.root }, ...this.#q.donors.filter(({ root }) => existsSync(root))];
		this.#donors = new Donors(trees, this.#file("book"));
		await this.#donors.learn(this.#file("known"), this.#pace);
		await this.#donors.explore(this.#file("seeds"), this.#q.signal);
		return this.#donors;
	}

	#file(name: string): string {
		return join(this.#q.scratch, name);
	}
}
