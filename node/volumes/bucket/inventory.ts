import type { Database } from "../../store/database.ts";
import { PieceHash } from "../piece.ts";
import { pieceSize } from "../volume.ts";
import { ahead } from "./ahead.ts";
import { pathOf, unfit } from "./key.ts";
import { type Meta, metaText } from "./meta.ts";
import type { Bucket, Listed } from "./s3.ts";

/** An object with what reading it has shown. */
export interface Known extends Listed {
	/** BLAKE3 of each piece, 32 bytes each, one after the other. */
	readonly pieces: Buffer;
	readonly meta: Meta;
	/** Whether it was old enough when it was read that another state of it would show in the list. */
	readonly settled: boolean;
}

/** Tables that a scratch file needs to remember objects, of several buckets where there are several. */
export const inventoryTables = `
CREATE TABLE object (
	id INTEGER PRIMARY KEY, store INTEGER NOT NULL, key TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
	modified TEXT NOT NULL, settled INTEGER NOT NULL, pieces BLOB NOT NULL, meta TEXT NOT NULL, pass INTEGER NOT NULL,
	UNIQUE (store, key)
) STRICT;
`;

/** Servers may write the time of a change in whole seconds, and two changes in one of them look like one. */
const settledAfter = 3000;
/** Many, since a server may take some time to answer, however little it has to say. */
const readAtOnce = { count: 32 };
const tries = 4;

interface Row {
	readonly id: number;
	readonly key: string;
	readonly etag: string;
	readonly size: number;
	readonly modified: string;
	readonly settled: number;
	readonly pieces: Buffer;
	readonly meta: string;
}

/** Told of each object whose content is another than before, and of each whose row goes; in the transaction that writes it. */
type Changed = (id: number, object: Known | null) => void;

/** What is remembered of one bucket, so that an object is read only once as long as it does not change. */
export class Inventory {
	readonly #bucket: Bucket;
	readonly #database: Database;
	readonly #store: number;
	readonly #changed: Changed;
	#pass: number;

	constructor(bucket: Bucket, database: Database, store = 0, changed: Changed = () => {}) {
		this.#bucket = bucket;
		this.#database = database;
		this.#store = store;
		this.#changed = changed;
		const sql = "SELECT max(pass) AS pass FROM object WHERE store = :store";
		this.#pass = database.get<{ pass: number | null }>(sql, { store })?.pass ?? 0;
	}

	/**
	 * Goes through the bucket and gives all that is in it, by pages; reads what is new. What vanishes meanwhile is left
	 * out, unless it is `frozen`: then that is an error. What is no longer there is forgotten in the end.
	 */
	async *take(options: { readonly frozen: boolean; readonly signal: AbortSignal }): AsyncIterable<readonly Known[]> {
		const { signal, frozen } = options;
		const pass = ++this.#pass;
		for await (const page of this.#bucket.objects(signal)) {
			const objects: (Known | undefined)[] = [];
			const look = (listed: Listed, stop: AbortSignal) => this.#look(listed, frozen, stop);
			for await (const object of ahead(page, readAtOnce, signal, look)) objects.push(object);
			const there = objects.filter((object) => object !== undefined);
			this.#database.transaction(() => {
				for (const object of there) this.#keep(object, pass);
			});
			yield there;
		}
		this.#forgetBefore(pass);
	}

	/** What is remembered of an object. */
	find(key: string): (Known & { readonly id: number }) | undefined {
		const row = this.#database.get<Row>("SELECT * FROM object WHERE store = :store AND key = :key", {
			store: this.#store,
			key,
		});
		return row && known(row);
	}

	/** Remembers what was put there; `modified` is empty until somebody has read it again. */
	put(object: Known): void {
		this.#database.transaction(() => this.#keep(object, this.#pass));
	}

	forget(key: string): void {
		this.#database.transaction(() => {
			const row = this.find(key);
			if (row) this.#remove(row.id);
		});
	}

	async #look(listed: Listed, frozen: boolean, signal: AbortSignal): Promise<Known | undefined> {
		const row = this.find(listed.key);
		if (row && row.etag === listed.etag && row.size === listed.size && row.modified === listed.modified) {
			if (row.settled) return row;
			const head = await this.#bucket.head(listed.key, signal);
			if (head?.etag === row.etag) return { ...row, meta: head.meta, settled: head.age > settledAfter };
		}
		const object = await this.#read(listed, signal);
		if (!object && frozen) throw unfit(pathOf(listed.key), "it changes although nobody should be writing");
		return object;
	}

	/** Undefined: it is gone, or changes faster than it can be read. */
	async #read(listed: Listed, signal: AbortSignal): Promise<Known | undefined> {
		for (let count = 0; count < tries; count++) {
			const pieces = new Pieces();
			const head = await this.#bucket.stream(listed.key, (chunk) => pieces.add(chunk), signal);
			if (!head) continue;
			const { etag, size, meta, age } = head;
			// Of a version that came after the listed one this time is wrong, so that the next pass reads it again.
			const { modified } = listed;
			return { key: listed.key, etag, size, modified, meta, pieces: pieces.end(), settled: age > settledAfter };
		}
		return undefined;
	}

	#keep(object: Known, pass: number): void {
		const { key, etag, size, modified, pieces } = object;
		const store = this.#store;
		const before = this.find(key);
		const values = { key, etag, size, modified, pieces, settled: Number(object.settled), meta: metaText(object.meta) };
		const { id } = this.#database.get<{ id: number }>(
			`INSERT INTO object (store, key, etag, size, modified, settled, pieces, meta, pass)
			VALUES (:store, :key, :etag, :size, :modified, :settled, :pieces, :meta, :pass)
			ON CONFLICT (store, key) DO UPDATE SET etag = :etag, size = :size, modified = :modified, settled = :settled,
				pieces = :pieces, meta = :meta, pass = :pass
			RETURNING id`,
			{ store, ...values, pass },
		) as { id: number };
		if (!before?.pieces.equals(pieces)) this.#changed(id, object);
	}

	#remove(id: number): void {
		this.#changed(id, null);
		this.#database.run("DELETE FROM object WHERE id = :id", { id });
	}

	#forgetBefore(pass: number): void {
		this.#database.transaction(() => {
			const gone = this.#database.all<{ id: number }>("SELECT id FROM object WHERE store = :store AND pass < :pass", {
				store: this.#store,
				pass,
			});
			for (const { id } of gone) this.#remove(id);
		});
	}
}

function known(row: Row): Known & { readonly id: number } {
	return { ...row, meta: JSON.parse(row.meta) as Meta, settled: row.settled === 1 };
}

/** Cuts what streams by into pieces and keeps their hashes. */
export class Pieces {
	readonly #hashes: Buffer[] = [];
	#hash: PieceHash | undefined;
	#room = pieceSize;

	add(chunk: Buffer): void {
		for (let rest = chunk; rest.length > 0; ) {
			this.#hash ??= new PieceHash();
			const part = rest.subarray(0, this.#room);
			this.#hash.update(part);
			this.#room -= part.length;
			if (this.#room === 0) this.#cut();
			rest = rest.subarray(part.length);
		}
	}

	/** 32 bytes for each piece. */
	end(): Buffer {
		if (this.#hash) this.#cut();
		return Buffer.concat(this.#hashes);
	}

	#cut(): void {
		if (this.#hash) this.#hashes.push(this.#hash.digest());
		this.#hash = undefined;
		this.#room = pieceSize;
	}
}
