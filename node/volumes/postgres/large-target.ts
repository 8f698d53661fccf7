import type { Entry } from "../volume.ts";
import type { Session } from "./connection.ts";
import { largeOid } from "./large.ts";
import { piecesIn } from "./pieces.ts";
import { ownSchema } from "./schema.ts";
import { digestOf } from "./shelf.ts";

/** Those of some entries whose large objects are not yet, or not so, in the database. */
export async function lackingLarge(session: Session, entries: readonly Entry[]): Promise<readonly Entry[]> {
	if (entries.length === 0) return [];
	const rows = await session.rows<{ oid: string; digest: string }>(
		`SELECT oid::text AS oid, digest FROM ${ownSchema}.large WHERE oid = ANY ($1::oid[])`,
		[entries.map(({ path }) => largeOid(path))],
	);
	const known = new Map(rows.map(({ oid, digest }) => [oid, digest]));
	return entries.filter((entry) => known.get(largeOid(entry.path) ?? "") !== digestOf(entry));
}

/** Makes a large object be what the entry says, with the content from a file. */
export async function putLarge(session: Session, entry: Entry, file: string, signal: AbortSignal): Promise<void> {
	const oid = largeOid(entry.path);
	await session.transaction("BEGIN", async () => {
		await session.run("SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = $1::oid", [oid]);
		await session.run("SELECT lo_create($1::oid)", [oid]);
		let at = 0;
		if (entry.size > 0)
			for await (const bytes of piecesIn(file, signal)) {
				await session.run("SELECT lo_put($1::oid, $2::bigint, decode($3, 'base64'))", [
					oid,
					at,
					Buffer.from(bytes).toString("base64"),
				]);
				at += bytes.length;
			}
		await session.run(
			`INSERT INTO ${ownSchema}.large VALUES ($1::oid, $2) ON CONFLICT (oid) DO UPDATE SET digest = excluded.digest`,
			[oid, digestOf(entry)],
		);
	});
}

/** Removes the large objects that are no longer listed. `listed` gives the numbers of those that are, in batches. */
export async function dropLarge(session: Session, listed: AsyncIterable<readonly string[]>): Promise<void> {
	await session.run("CREATE TEMP TABLE listed (oid oid)");
	for await (const oids of listed) await session.run("INSERT INTO pg_temp.listed SELECT unnest($1::oid[])", [oids]);
	const gone = "SELECT oid FROM pg_catalog.pg_largeobject_metadata WHERE oid NOT IN (SELECT oid FROM pg_temp.listed)";
	await session.transaction("BEGIN", async () => {
		await session.run(`SELECT lo_unlink(oid) FROM (${gone} LIMIT 1000000000) AS g`);
		await session.run(`DELETE FROM ${ownSchema}.large WHERE oid NOT IN (SELECT oid FROM pg_temp.listed)`);
	});
	await session.run("DROP TABLE pg_temp.listed");
}
