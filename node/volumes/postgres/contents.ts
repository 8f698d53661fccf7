import { createHash, type Hash } from "node:crypto";
import { Problem } from "#protocol/problem.ts";
import { type Entry, type Listing, pieceSize } from "../volume.ts";
import { largeOid } from "./large.ts";
import { bytesLookedAt } from "./touched.ts";

/** A listing, judged and sorted; large objects stay in the listing, since there may be many. */
export interface Contents {
	readonly base: Entry;
	/** What the tables hold in the base; undefined: the other side did not follow changes. */
	readonly tables: Entry | undefined;
	readonly sequences: Entry;
	/** What rows have become that the last changes are about; undefined: people still write at the other side. */
	readonly checks: Entry | undefined;
	/** In order, without a gap. */
	readonly changes: readonly Entry[];
	readonly hasLarge: boolean;
	/** Names the whole of it. */
	readonly digest: string;
}

const unfit = (path: string, reason: string) => new Problem("volume-unfit", { path: path.slice(0, 200), reason });

/** Reads a listing; refuses what does not belong into one of a database. */
export async function contentsOf(listing: Listing): Promise<Contents> {
	const found = new Map<string, Entry>();
	const changes: Entry[] = [];
	const hash = createHash("sha256");
	let lastLarge = -1;
	for await (const entries of listing.batches())
		for (const entry of entries) {
			judge(entry);
			digest(hash, entry);
			const oid = largeOid(entry.path);
			if (oid !== undefined) lastLarge = ascending(entry, lastLarge, Number(oid));
			else if (entry.path === changePath(changes.length + 1)) changes.push(entry);
			else if (["base", "tables", "sequences", "checks"].includes(entry.path) && !found.has(entry.path))
				found.set(entry.path, entry);
			else throw unfit(entry.path, "it does not belong into a database");
		}
	const [base, tables, sequences, checks] = ["base", "tables", "sequences", "checks"].map((path) => found.get(path));
	if (!base || !sequences) throw unfit(base ? "sequences" : "base", "it is not listed");
	return { base, tables, sequences, checks, changes, hasLarge: lastLarge >= 0, digest: hash.digest("base64url") };
}

/** The large objects of a listing, batch by batch. */
export async function* largeIn(listing: Listing): AsyncGenerator<readonly Entry[]> {
	for await (const entries of listing.batches()) {
		const large = entries.filter(({ path }) => largeOid(path) !== undefined);
		if (large.length > 0) yield large;
	}
}

/** How the entry of changes with this number is called, from 1. */
export const changePath = (number: number) => `changes/${String(number).padStart(8, "0")}`;

/** Those of the changes that are looked at again in the end: the last ones, up to some MiB. Both sides must agree on them. */
export function lookedAt(changes: readonly Entry[]): readonly Entry[] {
	let first = changes.length;
	for (let bytes = 0; first > 0; first--) {
		bytes += changes[first - 1]?.size ?? 0;
		if (bytes > bytesLookedAt) break;
	}
	return changes.slice(first);
}

function ascending(entry: Entry, last: number, oid: number): number {
	if (oid <= last || oid > 0xffffffff) throw unfit(entry.path, "large objects are not listed in order");
	return oid;
}

function judge(entry: Entry): void {
	const { path, type, size, pieces } = entry;
	if (type !== "dump") throw unfit(path, `it is a ${type}`);
	if (!Number.isSafeInteger(size) || size < 0 || pieces.length !== Math.ceil(size / pieceSize))
		throw unfit(path, "its size and its pieces do not go together");
	if (!pieces.every((piece) => /^[\w-]{43}$/.test(piece))) throw unfit(path, "a piece has no proper name");
}

function digest(hash: Hash, { path, size, pieces }: Entry): void {
	hash.update(`${path} ${size} ${pieces.join(" ")}\n`);
}
