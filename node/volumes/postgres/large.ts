import type { Entry, Piece, PieceName } from "../volume.ts";
import { pieceSize } from "../volume.ts";
import { type Session, sqlState } from "./connection.ts";

/** Large objects are entries of their own, since no log says what has changed in them; their hashes are made by the server. */
export const largePath = (oid: string) => `large/${oid}`;

/** The number of the large object that an entry is; undefined: it is something else. */
export const largeOid = (path: string): string | undefined => /^large\/([1-9][0-9]{0,9})$/.exec(path)?.[1];

interface LargeRow {
	readonly oid: string;
	readonly size: string;
	readonly pieces: string;
}

const listQuery = `
	SELECT m.oid::text AS oid, m.size::text AS size, array_to_string(ARRAY(
		SELECT translate(rtrim(encode(sha256(lo_get(m.oid, i * ${pieceSize}, ${pieceSize})), 'base64'), '='), '+/', '-_')
		FROM generate_series(0, (m.size - 1) / ${pieceSize}) AS i WHERE m.size > 0 ORDER BY i), ' ') AS pieces
	FROM (SELECT oid, lo_lseek64(lo_open(oid, 262144), 0, 2) AS size FROM pg_largeobject_metadata
		WHERE oid > $1::oid ORDER BY oid LIMIT 200) AS m ORDER BY m.oid`;

/** All large objects as entries, some hundred at a time. */
export async function* largeEntries(session: Session): AsyncGenerator<readonly Entry[]> {
	for (let last = "0"; ; ) {
		const rows = await listed(session, last);
		if (rows.length === 0) return;
		yield rows.map(
			({ oid, size, pieces }): Entry => ({
				path: largePath(oid),
				type: "dump",
				size: Number(size),
				pieces: pieces === "" ? [] : pieces.split(" "),
			}),
		);
		last = rows.at(-1)?.oid ?? last;
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
