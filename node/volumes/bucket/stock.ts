import type { Database } from "../../store/database.ts";
import { hashOf, zeroPiece } from "../piece.ts";
import { pieceSize } from "../volume.ts";
import { Inventory, type Known } from "./inventory.ts";
import type { Bucket } from "./s3.ts";
import { hashAt } from "./wanted.ts";

/** Which piece stands where in the objects that are known, beside the tables of the inventory. */
export const stockTables = `
CREATE TABLE piece (
	hash BLOB NOT NULL, object INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (hash, object, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_object ON piece (object);
`;

interface Spot {
	readonly store: number;
	readonly key: string;
	readonly etag: string;
	readonly size: number;
	readonly position: number;
}

/** An object of one of the buckets. */
export interface Stocked {
	readonly bucket: Bucket;
	readonly object: Known;
}

const zeroHash = Buffer.from(zeroPiece, "base64url");
/** How many places of a piece are tried before it counts as lost. */
const tries = 3;

/** Everything that the given buckets hold, to be found by its pieces. The first bucket is the one that is filled. */
export class Stock {
	readonly #database: Database;
	readonly #buckets: readonly Bucket[];
	readonly #inventories: readonly Inventory[];

	constructor(database: Database, buckets: readonly Bucket[]) {
		this.#database = database;
		this.#buckets = buckets;
		const changed = (id: number, object: Known | null) => this.#index(id, object);
		this.#inventories = buckets.map((bucket, store) => new Inventory(bucket, database, store, changed));
	}

	/** What is known of the bucket that is filled. */
	get own(): Inventory {
		return this.#inventories[0] as Inventory;
	}

	get inventories(): readonly Inventory[] {
		return this.#inventories;
	}

	/** Whether the piece stands somewhere; one of nothing but zeros is made here. */
	holds(hash: Buffer): boolean {
		if (hash.equals(zeroHash)) return true;
		return this.#database.get("SELECT 1 FROM piece WHERE hash = :hash LIMIT 1", { hash }) !== undefined;
	}

	/** A piece, read where it stands; undefined: it is no longer where it was seen. */
	async read(hash: Buffer, signal: AbortSignal): Promise<Buffer | undefined> {
		if (hash.equals(zeroHash)) return Buffer.alloc(pieceSize);
		for (const { store, key, etag, size, position } of this.#spots(hash)) {
			const start = position * pieceSize;
			const range = { start, length: Math.min(pieceSize, size - start), etag };
			const bytes = await this.#buckets[store]?.bytes(key, range, signal);
			if (bytes && isPiece(hash, bytes)) return bytes;
		}
		return undefined;
	}

	/** An object with just this content. */
	same(pieces: Buffer, size: number): Stocked | undefined {
		if (pieces.length === 0) return undefined;
		const hash = hashAt(pieces, 0);
		for (const { store, key, size: found } of this.#spots(hash)) {
			const object = this.#inventories[store]?.find(key);
			const bucket = this.#buckets[store];
			if (bucket && object && found === size && object.pieces.equals(pieces)) return { bucket, object };
		}
		return undefined;
	}

	/** Nobody has it any more, wherever it was seen. */
	drop(hash: Buffer): void {
		this.#database.run("DELETE FROM piece WHERE hash = :hash", { hash });
	}

	#spots(hash: Buffer): Spot[] {
		return this.#database.all<Spot>(
			`SELECT store, key, etag, size, position FROM piece JOIN object ON object.id = piece.object
			WHERE hash = :hash ORDER BY store LIMIT ${tries}`,
			{ hash },
		);
	}

	#index(object: number, known: Known | null): void {
		this.#database.run("DELETE FROM piece WHERE object = :object", { object });
		const count = known ? known.pieces.length / 32 : 0;
		for (let position = 0; position < count; position++) {
			const hash = hashAt((known as Known).pieces, position);
			this.#database.run("INSERT INTO piece VALUES (:hash, :object, :position)", { hash, object, position });
		}
	}
}

export function isPiece(hash: Buffer, bytes: Uint8Array): boolean {
	return hashOf(bytes) === hash.toString("base64url");
}
