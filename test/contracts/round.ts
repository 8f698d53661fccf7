/** What the transfer does between the two ends of a volume, without a network in between. */
import { createCipheriv, createHash } from "node:crypto";
import { hashOf } from "../../node/volumes/piece.ts";
import type { Entry, Listing, Piece, PieceName, Source, Target } from "../../node/volumes/volume.ts";

export const never = new AbortController().signal;

export interface RoundOptions {
	readonly frozen?: boolean;
	/** Called after the listing is there and before anything is read. */
	readonly between?: () => Promise<void>;
	/** Called with each batch that is about to be written. */
	readonly seen?: (pieces: readonly Piece[]) => void;
}

export interface RoundResult {
	readonly entries: readonly Entry[];
	readonly listing: Listing;
	/** What was asked for, in order. */
	readonly asked: readonly PieceName[];
	/** Bytes that were read for it. */
	readonly bytes: number;
	/** What settle still wants; empty: it holds. */
	readonly left: readonly PieceName[];
}

/** One round: list, ask, read, check, write, settle; what settle misses is fetched once more. */
export async function round(source: Source, target: Target, options: RoundOptions = {}): Promise<RoundResult> {
	const entries = await listed(source, options.frozen ?? false);
	const listing = listingOf(entries);
	await options.between?.();
	const asked = await gathered(target.lacking(listing, never));
	let bytes = await fetched(source, target, entries, asked, options.seen);
	let left = await target.settle(listing, never);
	if (left.length > 0) {
		bytes += await fetched(source, target, entries, left, options.seen);
		left = await target.settle(listing, never);
	}
	return { entries, listing, asked, bytes, left };
}

export async function listed(source: Source, frozen: boolean): Promise<Entry[]> {
	return gathered(source.list({ frozen, signal: never }));
}

/** As it comes over the wire: by way of JSON, in batches. */
export function listingOf(entries: readonly Entry[]): Listing {
	const text = JSON.stringify(entries);
	return {
		entries: entries.length,
		bytes: entries.reduce((sum, { size }) => sum + size, 0),
		async *batches() {
			const all = JSON.parse(text) as Entry[];
			for (let start = 0; start < all.length; start += 100) yield all.slice(start, start + 100);
		},
	};
}

/** Pieces with bytes of their own: those that are read are good until the next batch only. */
export async function readAll(source: Source, wanted: readonly PieceName[]): Promise<Piece[]> {
	const all: Piece[] = [];
	for await (const batch of source.read(wanted, never))
		for (const piece of batch) all.push({ ...piece, bytes: Buffer.from(piece.bytes) });
	return all;
}

export async function gathered<Item>(batches: AsyncIterable<readonly Item[]>): Promise<Item[]> {
	const all: Item[] = [];
	for await (const batch of batches) all.push(...batch);
	return all;
}

/** Reads these pieces and writes those whose hash is right; answers how many bytes were read. */
export async function fetched(
	source: Source,
	target: Target,
	entries: readonly Entry[],
	wanted: readonly PieceName[],
	seen: (pieces: readonly Piece[]) => void = () => {},
): Promise<number> {
	const names = new Map(entries.map(({ path, pieces }) => [path, pieces]));
	let bytes = 0;
	for await (const batch of source.read(wanted, never)) {
		for (const piece of batch) bytes += piece.bytes.length;
		const right = batch.filter(({ path, index, bytes }) => names.get(path)?.[index] === hashOf(bytes));
		seen(right);
		await target.write(right);
	}
	return bytes;
}

export { hashOf };

/** Bytes that no compression and no deduplication makes less of, the same for the same seed. */
export function noise(bytes: number, seed: number | string): Buffer {
	const key = createHash("sha256").update(String(seed)).digest();
	return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
