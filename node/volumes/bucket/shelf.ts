import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../../store/database.ts";

/** Tables of what waits on disk: a row for each part that is to hold the piece. */
export const shelfTables = `
CREATE TABLE shelf (
	hash BLOB NOT NULL, wanted INTEGER NOT NULL, number INTEGER NOT NULL,
	file INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL, PRIMARY KEY (hash, wanted, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX shelf_part ON shelf (wanted, number);
CREATE INDEX shelf_file ON shelf (file);
`;

/** A part of an object that is wanted; an object that comes whole is one part, number 0. */
export interface Part {
	readonly wanted: number;
	readonly number: number;
}

interface Spot {
	readonly file: number;
	readonly start: number;
	readonly length: number;
}

/**
 * Pieces wait here, on disk, until the part they belong to is whole: S3 takes no part below 5 MiB. They need not survive
 * a power cut: whoever takes one checks it.
 */
export class Shelf {
	readonly #folder: string;
	readonly #database: Database;
	#last: number;

	constructor(folder: string, database: Database) {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		this.#folder = folder;
		this.#database = database;
		this.#last = database.get<{ file: number | null }>("SELECT max(file) AS file FROM shelf")?.file ?? 0;
	}

	/** Lays pieces aside for these parts. `then` runs in the same transaction. */
	put(pieces: readonly { hash: Buffer; bytes: Uint8Array; parts: readonly Part[] }[], then: () => void): void {
		const file = ++this.#last;
		if (pieces.length > 0) writeFileSync(this.#path(file), Buffer.concat(pieces.map(({ bytes }) => bytes)));
		let start = 0;
		this.#database.transaction(() => {
			for (const { hash, bytes, parts } of pieces) {
				for (const part of parts) this.#lay(hash, part, { file, start, length: bytes.length });
				start += bytes.length;
			}
			then();
		});
	}

	/** Keeps a piece that lies here for one part more; false: it does not lie here. */
	share(hash: Buffer, part: Part): boolean {
		const spot = this.#find(hash);
		if (spot) this.#lay(hash, part, spot);
		return spot !== undefined;
	}

	/** Bytes as they lie there, which may be too few or damaged. */
	async read(hash: Buffer): Promise<Buffer | undefined> {
		const spot = this.#find(hash);
		if (!spot) return undefined;
		const file = await open(this.#path(spot.file)).catch(() => undefined);
		if (!file) return undefined;
		try {
			const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(spot.length), 0, spot.length, spot.start);
			return buffer.subarray(0, bytesRead);
		} finally {
			await file.close();
		}
	}

	/** A part (or all of an object's) needs its pieces no longer; files in which nothing is left are removed. */
	release(wanted: number, number?: number): void {
		const of = { wanted, ...(number !== undefined && { number }) };
		const where = `wanted = :wanted${number === undefined ? "" : " AND number = :number"}`;
		const files = this.#database.all<{ file: number }>(`SELECT DISTINCT file FROM shelf WHERE ${where}`, of);
		this.#database.run(`DELETE FROM shelf WHERE ${where}`, of);
		for (const { file } of files)
			if (!this.#database.get("SELECT 1 FROM shelf WHERE file = :file LIMIT 1", { file }))
				rmSync(this.#path(file), { force: true });
	}

	/** A piece turned out to be damaged. */
	drop(hash: Buffer): void {
		this.#database.run("DELETE FROM shelf WHERE hash = :hash", { hash });
	}

	#lay(hash: Buffer, { wanted, number }: Part, spot: Spot): void {
		this.#database.run("INSERT OR REPLACE INTO shelf VALUES (:hash, :wanted, :number, :file, :start, :length)", {
			...{ hash, wanted, number },
			...{ file: spot.file, start: spot.start, length: spot.length },
		});
	}

	#find(hash: Buffer): Spot | undefined {
		return this.#database.get<Spot>("SELECT file, start, length FROM shelf WHERE hash = :hash LIMIT 1", { hash });
	}

	#path(file: number): string {
		return join(this.#folder, String(file));
	}
}
