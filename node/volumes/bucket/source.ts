import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Database } from "../../store/database.ts";
import { type Entry, type Piece, type PieceName, pieceSize, type Source, type VolumeOptions } from "../volume.ts";
import { ahead } from "./ahead.ts";
import type { BucketPlace } from "./connection.ts";
import { Inventory, inventoryTables, type Known } from "./inventory.ts";
import { keyOf, pathOf } from "./key.ts";
import { Bucket } from "./s3.ts";

/** Pieces next to each other that one request asks for; with as many requests at once this is what memory holds. */
const piecesAtOnce = 16;
const requestsAtOnce = { count: 32, bytes: 32 * 1024 * 1024 };
const batchBytes = 2 * 1024 * 1024;
/** Of a listing's batch, so that it stays small even where objects are huge. */
const batchPieces = 10_000;

/** A bucket's objects as the old provider gives them away. */
export class BucketSource implements Source {
	readonly #bucket: Bucket;
	readonly #scratch: string;
	readonly #database: Database;
	readonly #inventory: Inventory;
	readonly #closing = new AbortController();

	constructor(place: BucketPlace, { scratch }: VolumeOptions) {
		mkdirSync(scratch, { recursive: true, mode: 0o700 });
		this.#scratch = scratch;
		this.#bucket = new Bucket(place);
		this.#database = new Database(join(scratch, "bucket.sqlite"), inventoryTables);
		this.#inventory = new Inventory(this.#bucket, this.#database);
	}

	async *list(options: { readonly frozen: boolean; readonly signal: AbortSignal }): AsyncIterable<readonly Entry[]> {
		const signal = AbortSignal.any([options.signal, this.#closing.signal]);
		for await (const page of this.#inventory.take({ ...options, signal })) yield* batched(page.map(entryOf));
	}

	async *read(wanted: readonly PieceName[], signal: AbortSignal): AsyncIterable<readonly Piece[]> {
		const both = AbortSignal.any([signal, this.#closing.signal]);
		let batch: Piece[] = [];
		let bytes = 0;
		const work = (run: Run, stop: AbortSignal) => this.#run(run, stop);
		for await (const pieces of ahead(this.#runs(wanted), requestsAtOnce, both, work, bytesOf)) {
			batch.push(...pieces);
			bytes += pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
			if (bytes < batchBytes) continue;
			yield batch;
			batch = [];
			bytes = 0;
		}
		if (batch.length > 0) yield batch;
	}

	async close(): Promise<void> {
		if (this.#closing.signal.aborted) return;
		this.#closing.abort();
		await this.#bucket.close();
		this.#database.close();
	}

	async forget(): Promise<void> {
		await this.close();
		rmSync(this.#scratch, { recursive: true, force: true });
	}

	/** Only of what was listed. */
	*#runs(wanted: readonly PieceName[]): Iterable<Run> {
		for (const run of runs(wanted)) {
			const object = this.#inventory.find(keyOf(run.path));
			if (object && run.first + run.count <= object.pieces.length / 32) yield { ...run, object };
		}
	}

	/** Only in the version that was listed. */
	async #run(run: Run, signal: AbortSignal): Promise<Piece[]> {
		const { path, first, count, object } = run;
		const range = { start: first * pieceSize, length: bytesOf(run), etag: object.etag };
		const bytes = await this.#bucket.bytes(object.key, range, signal);
		if (!bytes) return [];
		return Array.from({ length: count }, (_, index) => ({
			path,
			index: first + index,
			bytes: bytes.subarray(index * pieceSize, (index + 1) * pieceSize),
		}));
	}
}

function entryOf({ key, size, pieces, meta }: Known): Entry {
	const hashes = Array.from({ length: pieces.length / 32 }, (_, index) =>
		pieces.toString("base64url", index * 32, index * 32 + 32),
	);
	return { path: pathOf(key), type: "object", size, pieces: hashes, meta };
}

function* batched(entries: readonly Entry[]): Iterable<readonly Entry[]> {
	let batch: Entry[] = [];
	let pieces = 0;
	for (const entry of entries) {
		batch.push(entry);
		pieces += entry.pieces.length;
		if (pieces < batchPieces) continue;
		yield batch;
		batch = [];
		pieces = 0;
	}
	if (batch.length > 0) yield batch;
}

/** Pieces that follow each other in one entry. */
interface Named {
	readonly path: string;
	readonly first: number;
	count: number;
}

interface Run extends Named {
	readonly object: Known;
}

function bytesOf({ first, count, object }: Run): number {
	return Math.min(count * pieceSize, object.size - first * pieceSize);
}

function* runs(wanted: readonly PieceName[]): Iterable<Named> {
	let run: Named | undefined;
	for (const { path, index } of wanted) {
		if (run?.path === path && run.first + run.count === index && run.count < piecesAtOnce) {
			run.count++;
			continue;
		}
		if (run) yield run;
		run = { path, first: index, count: 1 };
	}
	if (run) yield run;
}
