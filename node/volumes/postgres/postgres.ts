import type { Source, Target, VolumeOptions } from "../volume.ts";
import type { PostgresPlace } from "./connection.ts";
import { PostgresSource } from "./source.ts";
import { PostgresTarget } from "./target.ts";

/**
 * A database on its way out. The first listing is a dump; where `wal_level` is `logical` and the role may replicate, the later
 * ones add just the rows that have changed since, so what the last one costs does not depend on how big the database is.
 * Elsewhere each listing is a dump of its own (`meta.mode` of the entry `base` says which, `meta.reason` why).
 *
 * Entries: `base` (pg_dump, custom format, not compressed), `tables` (what each table holds in it: rows and a hash),
 * `changes/00000001` and so on (see records.ts; once written they stay as they are), `sequences`, `large/<oid>`, and when frozen
 * `checks` (what the rows have become that the last 8 MiB of changes were about).
 *
 * Until `forget` there is a replication slot, which keeps the server from throwing its log away, and a publication; tables
 * without a key are found by their whole rows (REPLICA IDENTITY FULL). A table that loses its primary key meanwhile cannot be
 * updated until then.
 */
export const openPostgresSource = (place: PostgresPlace, options: VolumeOptions): Source =>
	new PostgresSource(place, options);

/**
 * A database on its way in. The role must own what is there, may make databases (CREATEDB), and nothing more. It is built up in
 * a database of its own, `<name>_<digest>_arriving`, in which each change is applied exactly once.
 */
export const openPostgresTarget = (place: PostgresPlace, options: VolumeOptions): Target =>
	new PostgresTarget(place, options);
