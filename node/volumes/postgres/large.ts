import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hashOf } from "../piece.ts";
import type { Entry, Piece, PieceName } from "../volume.ts";
import { pieceSize } from "../volume.ts";
import { type Session, sqlState } from "./connection.ts";
import { keep } from "./pieces.ts";

/** Large objects are entries of their own, since no log says what has changed in them; the server tells that by SHA-256. */
export const largePath = (oid: string) => `large/${oid}`;

/** The number of the large object that an entry is; undefined: it is something else. */
export const largeOid = (path: string): string | undefined => /^large\/([1-9][0-9]{0,9})$/.exec(path)?.[1];

interface LargeRow {
	readonly oid: string;
	readonly size: string;
	/** SHA-256 of each piece, base64. */
	readonly sums: string;
}

const listQuery = `
	SELECT m.oid::text AS oid, m.size::text AS size, array_to_string(ARRAY(
		SELECT encode(sha256(lo_get(m.oid, i * ${pieceSize}, ${pieceSize})), 'base64')
		FROM generate_series(0, (m.size - 1) / ${pieceSize}) AS i WHERE m.size > 0 ORDER BY i), ' ') AS sums
	FROM (SELECT oid, lo_lseek64(lo_open(oid, 262144), 0, 2) AS size FROM pg_largeobject_metadata
		WHERE oid > $1::oid ORDER BY oid LIMIT 200) AS m ORDER BY m.oid`;

/** All large objects as entries, some hundred at a time. What `names` does not know yet is fetched from the server. */
export async function* largeEntries(session: Session, names: LargeNames): AsyncGenerator<readonly Entry[]> {
	await names.recall();
	for (let last = "0"; ; ) {
		const rows = await listed(session, last);
		if (rows.length === 0) return names.remember();
		const entries: Entry[] = [];
		for (const { oid, size, sums } of rows) {
			const pieces = await names.of(session, oid, sums === "" ? [] : sums.split(" "));
			if (pieces) entries.push({ path: largePath(oid), type: "dump", size: Number(size), pieces });
		}
		yield entries;
		last = rows.at(-1)?.oid ?? last;
	}
}

/** What pieces of large objects are called, by what the server says of them; in a file that outlives the process. */
export class LargeNames {
	readonly #file: string;
	#before = new Map<string, string>();
	#now = new Map<string, string>();

	constructor(file: string) {
		this.#file = file;
	}

	/** To be called before a round, and `remember` after it. */
	async recall(): Promise<void> {
		const text = await readFile(this.#file, "utf8").catch(() => "");
		this.#before = new Map(text.split("\n").map((line) => line.split(" ") as [string, string]));
		this.#now = new Map();
	}

	async remember(): Promise<void> {
		if (this.#now.size > 0) await keep(this.#file, [...this.#now].map((pair) => pair.join(" ")).join("\n"));
	}

	/** The names of an object's pieces; undefined: it has gone meanwhile. */
	async of(session: Session, oid: string, sums: readonly string[]): Promise<readonly string[] | undefined> {
		const names: string[] = [];
		for (const [index, sum] of sums.entries()) {
			const known = this.#now.get(sum) ?? this.#before.get(sum);
			const name = known ?? (await this.#named(session, { path: largePath(oid), index }, sum));
			if (name === undefined) return undefined;
			if (known !== undefined) this.#now.set(sum, known);
			names.push(name);
		}
		return names;
	}

	/** What was written to since the server has looked is called by what it is now, which is not remembered. */
	async #named(session: Session, wanted: PieceName, sum: string): Promise<string | undefined> {
		const piece = await largePiece(session, wanted);
		if (!piece) return undefined;
		const name = hashOf(piece.bytes);
		if (createHash("sha256").update(piece.bytes).digest("base64") === sum) this.#now.set(sum, name);
		return name;
	}
}

async function listed(session: Session, after: string): Promise<readonly LargeRow[]> {
	for (let attempt = 1; ; attempt++)
		try {
			return await session.rows<LargeRow>(listQuery, [after]);
		} catch (error) {
			// 42704: one was removed while we looked.
			if (sqlState(error) !== "42704" || attempt === 5) throw error;
		}
}

/** One piece of a large object; undefined: it is not there, or no longer. */
export async function largePiece(session: Session, wanted: PieceName): Promise<Piece | undefined> {
	const at = String(wanted.index * pieceSize);
	const rows = await session.rows<{ bytes: string }>(
		`SELECT encode(lo_get(oid, $2::bigint, ${pieceSize}), 'base64') AS bytes FROM pg_largeobject_metadata WHERE oid = $1::oid`,
		[largeOid(wanted.path) ?? "0", at],
	);
	return rows[0] && { ...wanted, bytes: Buffer.from(rows[0].bytes, "base64") };
}
