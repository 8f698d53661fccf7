import type { Database } from "../../store/database.ts";
import { type Entry, type Listing, type PieceName, pieceSize } from "../volume.ts";
import { keyOf, pathOf, unfit } from "./key.ts";
import { checkedMeta, type Meta, metaText } from "./meta.ts";
import type { Part, Shelf } from "./shelf.ts";

/** Tables of what a listing wants and what of that is still lacking. */
export const wantedTables = `
CREATE TABLE wanted (
	id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, pieces BLOB NOT NULL, meta TEXT NOT NULL,
	round INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
	at TEXT, -- the key that holds it by now
	upload TEXT -- of one that comes in parts
) STRICT;
CREATE INDEX wanted_at ON wanted (at);
CREATE TABLE part (
	wanted INTEGER NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, PRIMARY KEY (wanted, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE need (
	hash BLOB NOT NULL, wanted INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (hash, wanted, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX need_part ON need (wanted, number);
CREATE TABLE asked (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** S3 takes 10,000 parts of 5 MiB to 5 GiB; these are what memory holds, but for objects above 78 GiB. */
const partSize = 8 * 1024 * 1024;
const mostParts = 10_000;
const mostBytes = 5 * 1024 ** 4;

/** An object as it is to be. */
export interface Wanted {
	readonly id: number;
	readonly key: string;
	readonly size: number;
	/** BLAKE3 of each piece, 32 bytes each. */
	readonly pieces: Buffer;
	readonly meta: Meta;
	readonly at: string | null;
	readonly upload: string | null;
}

interface Row extends Omit<Wanted, "meta"> {
	readonly meta: string;
	readonly round: number;
}

const lacks = "EXISTS (SELECT 1 FROM need WHERE need.wanted = wanted.id)";

/** Where pieces are already, besides on the shelf. */
export interface Elsewhere {
	holds(hash: Buffer): boolean;
}

/** What the present listing wants. Synchronous, and all of it on disk. */
export class WantedObjects {
	readonly #database: Database;
	readonly #shelf: Shelf;
	readonly #elsewhere: Elsewhere;

	constructor(database: Database, shelf: Shelf, elsewhere: Elsewhere) {
		this.#database = database;
		this.#shelf = shelf;
		this.#elsewhere = elsewhere;
	}

	/**
	 * Wants what this listing says; what was begun for the same content goes on. `finds` answers the key where an object
	 * of this content lies already as it should.
	 */
	async load(listing: Listing, reserved: string | null, finds: (wanted: Wanted) => string | undefined): Promise<void> {
		const round =
			1 + (this.#database.get<{ round: number | null }>("SELECT max(round) AS round FROM wanted")?.round ?? 0);
		for await (const entries of listing.batches())
			this.#database.transaction(() => {
				for (const entry of entries) this.#want(checked(entry, reserved), round, finds);
			});
		this.#database.transaction(() => {
			for (const { id } of this.#database.all<{ id: number }>("SELECT id FROM wanted WHERE round < :round", {
				round,
			})) {
				this.#forgetProgress(id);
				this.#database.run("DELETE FROM wanted WHERE id = :id", { id });
			}
		});
	}

	/** The pieces that nobody has, each once. */
	*lacking(): Iterable<readonly PieceName[]> {
		this.#database.run("DELETE FROM asked");
		for (const page of this.#pages(`at IS NULL AND ${lacks}`)) {
			const names = this.#database.transaction(() => page.flatMap((wanted) => [...this.#asks(wanted)]));
			if (names.length > 0) yield names;
		}
	}

	/** All that stands nowhere yet, by pages; `again` after one may have changed that. */
	open(): Iterable<readonly Wanted[]> {
		return this.#pages(`at IS NULL AND NOT ${lacks}`);
	}

	all(): Iterable<readonly Wanted[]> {
		return this.#pages("true");
	}

	find(id: number): Wanted | undefined {
		return wantedOf(this.#database.get<Row>("SELECT * FROM wanted WHERE id = :id", { id }));
	}

	named(key: string): Wanted | undefined {
		return wantedOf(this.#database.get<Row>("SELECT * FROM wanted WHERE key = :key", { key }));
	}

	standingAt(key: string): Wanted | undefined {
		return wantedOf(this.#database.get<Row>("SELECT * FROM wanted WHERE at = :key", { key }));
	}

	/** The parts that lack this piece. */
	partsLacking(hash: Buffer): Part[] {
		return this.#database.all<Part>("SELECT wanted, number FROM need WHERE hash = :hash", { hash });
	}

	/** Whether a part will have all of its pieces once these are there. */
	isWhole({ wanted, number }: Part, hasNow: (hash: string) => boolean): boolean {
		const sql = "SELECT hash FROM need WHERE wanted = :wanted AND number = :number";
		return this.#database
			.all<{ hash: Buffer }>(sql, { wanted, number })
			.every(({ hash }) => hasNow(hash.toString("base64url")));
	}

	/** Parts that are whole and not yet brought. */
	partsToBring(wanted: Wanted): Part[] {
		const done = this.etags(wanted.id);
		return Array.from({ length: partsOf(wanted) }, (_, number) => ({ wanted: wanted.id, number })).filter(
			({ number }) => !done.has(number),
		);
	}

	lack(hash: Buffer, { wanted, number }: Part): void {
		this.#database.run("INSERT OR IGNORE INTO need VALUES (:hash, :wanted, :number)", { hash, wanted, number });
	}

	lackNoMore(hash: Buffer): void {
		this.#database.run("DELETE FROM need WHERE hash = :hash", { hash });
	}

	setUpload(id: number, upload: string | null): void {
		this.#database.run("UPDATE wanted SET upload = :upload WHERE id = :id", { id, upload });
	}

	/** A part is there; answers whether it was the last one. */
	brought({ wanted, number }: Part, etag: string): boolean {
		return this.#database.transaction(() => {
			this.#database.run("INSERT OR REPLACE INTO part VALUES (:wanted, :number, :etag)", { wanted, number, etag });
			this.#database.run("DELETE FROM need WHERE wanted = :wanted AND number = :number", { wanted, number });
			this.#shelf.release(wanted, number);
			const object = this.find(wanted);
			return object !== undefined && this.etags(wanted).size === partsOf(object);
		});
	}

	etags(id: number): Map<number, string> {
		const sql = "SELECT number, etag FROM part WHERE wanted = :id ORDER BY number";
		const rows = this.#database.all<{ number: number; etag: string }>(sql, { id });
		return new Map(rows.map(({ number, etag }) => [number, etag]));
	}

	/** The object stands at this key. */
	stands(id: number, at: string): void {
		this.#database.transaction(() => {
			this.#forgetProgress(id);
			this.#database.run("UPDATE wanted SET at = :at, upload = NULL WHERE id = :id", { id, at });
		});
	}

	/** What was there is not as it should be, or no longer there: begins anew with what pieces there are. */
	reopen(id: number): void {
		this.#database.transaction(() => {
			this.#forgetProgress(id);
			this.#database.run("UPDATE wanted SET at = NULL, upload = NULL WHERE id = :id", { id });
			const wanted = this.find(id);
			if (wanted) this.#plan(wanted);
		});
	}

	see(id: number, pass: number): void {
		this.#database.run("UPDATE wanted SET seen = :pass WHERE id = :id", { id, pass });
	}

	unseen(pass: number): number[] {
		const rows = this.#database.all<{ id: number }>("SELECT id FROM wanted WHERE at IS NOT NULL AND seen <> :pass", {
			pass,
		});
		return rows.map(({ id }) => id);
	}

	knowsUpload(upload: string): boolean {
		return this.#database.get("SELECT 1 FROM wanted WHERE upload = :upload", { upload }) !== undefined;
	}

	#want(
		object: Omit<Wanted, "id" | "at" | "upload">,
		round: number,
		finds: (wanted: Wanted) => string | undefined,
	): void {
		const { key, size, pieces } = object;
		const meta = metaText(object.meta);
		const before = this.#database.get<Row>("SELECT * FROM wanted WHERE key = :key", { key });
		if (before?.round === round) throw unfit(pathOf(key), "it stands twice in the listing");
		const isSame = before?.meta === meta && before.size === size && before.pieces.equals(pieces);
		if (before && isSame) {
			this.#database.run("UPDATE wanted SET round = :round WHERE id = :id", { round, id: before.id });
			return;
		}
		if (before) this.#forgetProgress(before.id);
		const { id } = this.#database.get<{ id: number }>(
			`INSERT INTO wanted (key, size, pieces, meta, round) VALUES (:key, :size, :pieces, :meta, :round)
			ON CONFLICT (key) DO UPDATE SET size = :size, pieces = :pieces, meta = :meta, round = :round,
				at = NULL, upload = NULL, seen = 0
			RETURNING id`,
			{ key, size, pieces, meta, round },
		) as { id: number };
		const wanted: Wanted = { ...object, id, at: null, upload: null };
		const at = finds(wanted);
		if (at === undefined) this.#plan(wanted);
		else this.stands(id, at);
	}

	#plan(wanted: Wanted): void {
		for (let index = 0; index < wanted.pieces.length / 32; index++) {
			const hash = hashAt(wanted.pieces, index);
			const part = { wanted: wanted.id, number: partAt(wanted.size, index) };
			if (!this.#shelf.share(hash, part) && !this.#elsewhere.holds(hash)) this.lack(hash, part);
		}
	}

	#forgetProgress(wanted: number): void {
		this.#shelf.release(wanted);
		this.#database.run("DELETE FROM need WHERE wanted = :wanted", { wanted });
		this.#database.run("DELETE FROM part WHERE wanted = :wanted", { wanted });
	}

	*#asks({ key, pieces, id }: Wanted): Iterable<PieceName> {
		const path = pathOf(key);
		for (let index = 0; index < pieces.length / 32; index++) {
			const hash = hashAt(pieces, index);
			if (!this.#database.get("SELECT 1 FROM need WHERE hash = :hash AND wanted = :id LIMIT 1", { hash, id })) continue;
			const { changes } = this.#database.run("INSERT OR IGNORE INTO asked VALUES (:hash)", { hash });
			if (changes > 0) yield { path, index };
		}
	}

	*#pages(where: string): Iterable<readonly Wanted[]> {
		const sql = `SELECT * FROM wanted WHERE id > :after AND ${where} ORDER BY id LIMIT 500`;
		for (let after = 0; ; ) {
			const page = this.#database.all<Row>(sql, { after }).map((row) => wantedOf(row));
			if (page.length === 0) return;
			yield page;
			after = page.at(-1)?.id ?? after;
		}
	}
}

/** Bytes of each part of an object but the last: a multiple of the pieces. */
export function partSizeOf(size: number): number {
	const least = Math.ceil(size / mostParts / pieceSize) * pieceSize;
	return Math.max(partSize, least);
}

export function partsOf({ size }: { readonly size: number }): number {
	return Math.max(1, Math.ceil(size / partSizeOf(size)));
}

export function hashAt(pieces: Buffer, index: number): Buffer {
	return pieces.subarray(index * 32, index * 32 + 32);
}

function partAt(size: number, index: number): number {
	return Math.floor((index * pieceSize) / partSizeOf(size));
}

function wantedOf(row: Row): Wanted;
function wantedOf(row: Row | undefined): Wanted | undefined;
function wantedOf(row: Row | undefined): Wanted | undefined {
	return row && { ...row, meta: JSON.parse(row.meta) as Meta };
}

/** An entry that somebody else has written. */
function checked(entry: Entry, reserved: string | null): Omit<Wanted, "id" | "at" | "upload"> {
	const { path, type, size } = entry;
	if (type !== "object") throw unfit(path, `a bucket holds no ${type}`);
	const key = keyOf(path);
	if (reserved !== null && key.startsWith(reserved)) throw unfit(path, "its name is taken by the move itself");
	if (!Number.isSafeInteger(size) || size < 0 || size > mostBytes) throw unfit(path, "an object has at most 5 TiB");
	const pieces = Buffer.concat(entry.pieces.map((hash) => Buffer.from(hash, "base64url")));
	const isRight =
		entry.pieces.every((hash) => /^[\w-]{43}$/.test(hash)) && entry.pieces.length === Math.ceil(size / pieceSize);
	if (!isRight) throw unfit(path, "its pieces do not make up its size");
	return { key, size, pieces, meta: checkedMeta(path, entry.meta) };
}
