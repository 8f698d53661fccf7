import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashOf } from "../node/volumes/piece.ts";
import { openPostgresSource, openPostgresTarget } from "../node/volumes/postgres/postgres.ts";
import type { Entry, Listing, PieceName, Place, Source, Target } from "../node/volumes/volume.ts";
import { type Cluster, programs } from "./postgres.ts";

type PostgresPlace = Extract<Place, { kind: "postgres" }>;
export type Listed = Listing & { readonly all: readonly Entry[] };

const never = new AbortController().signal;
let number = 0;

/** A database, a place for it, and the two ends between them. */
export interface Move {
	readonly from: PostgresPlace;
	readonly to: PostgresPlace;
	readonly folder: string;
	source: Source;
	target: Target;
	/** Closes both ends and opens new ones in the same folders, as after a restart. */
	reopen(): Promise<void>;
	/** Removes every trace. */
	end(): Promise<void>;
}

/** `rights` are those of the role at the old place. */
export async function startMove(cluster: Cluster, rights?: string, elsewhere: Cluster = cluster): Promise<Move> {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-move-"));
	number++;
	const from = await cluster.place(`old${number}`, rights);
	const to = await elsewhere.place(`new${number}`, "CREATEDB");
	const source = () => openPostgresSource(from, { scratch: join(folder, "source") });
	const target = () => openPostgresTarget(to, { scratch: join(folder, "target") });
	const move: Move = {
		...{ from, to, folder, source: source(), target: target() },
		async reopen() {
			await move.source.close();
			await move.target.close();
			move.source = source();
			move.target = target();
		},
		async end() {
			await move.source.forget();
			await move.source.close();
			await move.target.discard();
			await move.target.close();
			rmSync(folder, { recursive: true, force: true });
		},
	};
	return move;
}

/** Reads a whole listing; it can be changed before it is given to a target. */
export async function listed(source: Source, frozen: boolean): Promise<Listed> {
	const all: Entry[] = [];
	for await (const batch of source.list({ frozen, signal: never })) all.push(...batch);
	return listingOf(all);
}

export function listingOf(all: readonly Entry[]): Listed {
	return {
		all,
		entries: all.length,
		bytes: all.reduce((sum, { size }) => sum + size, 0),
		async *batches() {
			for (let from = 0; from < all.length; from += 7) yield all.slice(from, from + 7);
		},
	};
}

/** Brings over what is lacking and is what it was said to be; answers how many bytes that were. */
export async function bring(source: Source, target: Target, listing: Listing): Promise<number> {
	const names: PieceName[] = [];
	for await (const batch of target.lacking(listing, never)) names.push(...batch);
	const expected = new Map<string, string>();
	for await (const entries of listing.batches())
		for (const { path, pieces } of entries)
			for (const [index, hash] of pieces.entries()) expected.set(`${index} ${path}`, hash);
	let bytes = 0;
	for await (const pieces of source.read(names, never)) {
		bytes += pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
		await target.write(pieces.filter((piece) => hashOf(piece.bytes) === expected.get(`${piece.index} ${piece.path}`)));
	}
	return bytes;
}

/** A whole round; answers the listing, and how many bytes went over. */
export async function round({ source, target }: Move, frozen: boolean): Promise<{ listing: Listed; bytes: number }> {
	const listing = await listed(source, frozen);
	const bytes = await bring(source, target, listing);
	const lacking = await target.settle(listing, never);
	if (lacking.length > 0) throw new Error(`Lacking: ${JSON.stringify(lacking.slice(0, 5))}`);
	return { listing, bytes };
}

/** Everything there is in a database, as text: the schema as pg_dump writes it, all rows, sequences and large objects. More options are pg_dump's. */
export async function everything(cluster: Cluster, database: string, ...options: string[]): Promise<string> {
	const { stdout, status, stderr } = spawnSync(
		join(programs, "pg_dump"),
		["--schema-only", "--no-owner", "--no-privileges", ...options, "-h", cluster.host, "-U", "admin", database],
		{ encoding: "utf8", maxBuffer: 1e9 },
	);
	if (status !== 0) throw new Error(stderr);
	const tables = await cluster.sql(
		database,
		`SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm', 'S') AND oid >= 16384
		AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_') ORDER BY 1`,
	);
	const parts = [stdout.replaceAll(/^\\(un)?restrict .*$/gm, "")];
	for (const { name } of tables) {
		const columns = /_seq"?$/.test(name ?? "") ? "(last_value, is_called)::text" : "x::text";
		const rows = await cluster.sql(database, `SELECT ${columns} AS row FROM ONLY ${name} AS x ORDER BY 1`);
		parts.push(`${name}:\n${rows.map(({ row }) => row).join("\n")}`);
	}
	const large = await cluster.sql(
		database,
		"SELECT oid::text AS oid, md5(lo_get(oid)) AS hash FROM pg_largeobject_metadata ORDER BY 1",
	);
	return [...parts, ...large.map(({ oid, hash }) => `large ${oid}: ${hash}`)].join("\n\n");
}
