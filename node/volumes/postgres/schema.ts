import { name, type Session } from "./connection.ts";

/** Where nothing of a customer lives; `moving` is ours, in the database beside. */
export const ownSchema = "fediversity_moving";
const foreignSchemas = `('pg_catalog', 'information_schema', 'pg_toast', '${ownSchema}')`;

export interface Table {
	readonly schema: string;
	readonly table: string;
	/** `pg_class.relreplident`: d by its primary key, i by an index, f by the whole row, n not at all. */
	readonly identity: string;
	/** Whether a row can be found again by that. */
	readonly found: string;
}

/** Every table that holds rows: plain ones and the leaves of partitioned ones, in a lasting order. */
export const tablesOf = (session: Session): Promise<readonly Table[]> =>
	session.rows<Table>(`
		SELECT n.nspname AS schema, c.relname AS table, c.relreplident AS identity,
			(c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
				AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END))::text AS found
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ${foreignSchemas}
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`);

const lasting = "SELECT oid FROM pg_class WHERE relpersistence = 't'";

/** Catalogs whose rows are the schema, and which of their rows count. */
const catalogs: readonly (readonly [catalog: string, where: string])[] = [
	["pg_attrdef", `adrelid NOT IN (${lasting})`],
	["pg_constraint", `conrelid NOT IN (${lasting})`],
	["pg_trigger", `tgrelid NOT IN (${lasting})`],
	["pg_rewrite", `ev_class NOT IN (${lasting})`],
	["pg_policy", ""],
	["pg_proc", ""],
	["pg_type", "typrelid = 0 AND typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(temp|toast)')"],
	["pg_enum", ""],
	["pg_namespace", "nspname !~ '^pg_(temp|toast)'"],
	["pg_extension", ""],
	["pg_collation", ""],
	["pg_cast", ""],
	["pg_operator", ""],
	["pg_opclass", ""],
	["pg_opfamily", ""],
	["pg_statistic_ext", ""],
	["pg_ts_config", ""],
	["pg_ts_dict", ""],
	["pg_event_trigger", ""],
];

const hashed = (rows: string) =>
	`(SELECT md5(coalesce(string_agg(line, chr(10) ORDER BY line COLLATE "C"), '')) FROM (${rows}) AS x(line))`;

const fingerprintQuery = `SELECT concat_ws(',', ${[
	// Just what belongs to the schema: files, pages and the like change with TRUNCATE, VACUUM and REINDEX.
	hashed(`SELECT concat_ws('|', c.oid, relname, relnamespace, relkind, relpersistence, relreplident, relispartition,
			relrowsecurity, relforcerowsecurity, reloptions::text, pg_get_expr(relpartbound, c.oid))
		FROM pg_class c WHERE c.oid >= 16384 AND relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'c', 'f', 'S')
		AND relnamespace <> 'pg_toast'::regnamespace`),
	hashed(`SELECT concat_ws('|', attrelid, attnum, attname, atttypid, atttypmod, attndims, attnotnull, atthasdef, attidentity,
			attgenerated, attisdropped, attislocal, attinhcount, attcollation, attstorage, attcompression, attoptions::text)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE a.attrelid >= 16384 AND relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'c', 'f')`),
	hashed(`SELECT concat_ws('|', pg_get_indexdef(indexrelid), indisvalid, indisprimary, indisreplident)
		FROM pg_index WHERE indexrelid >= 16384 AND indrelid >= 16384 AND indrelid NOT IN (${lasting})
		AND indrelid NOT IN (SELECT oid FROM pg_class WHERE relkind = 't')`),
	hashed(
		"SELECT i::text FROM pg_inherits i WHERE inhrelid IN (SELECT oid FROM pg_class WHERE relkind NOT IN ('i', 'I'))",
	),
	hashed(`SELECT s::text FROM pg_sequence s WHERE seqrelid NOT IN (${lasting})`),
	hashed(
		"SELECT d::text FROM pg_description d WHERE objoid >= 16384 AND classoid NOT IN ('pg_publication'::regclass, 'pg_largeobject'::regclass)",
	),
	...catalogs.map(([catalog, where]) =>
		hashed(`SELECT t::text FROM ${catalog} t WHERE oid >= 16384${where ? ` AND ${where}` : ""}`),
	),
].join(", ")}) AS fingerprint`;

/** Changes with every change to the schema, and with nothing else: not with rows, nor with how they are stored. */
export async function fingerprintOf(session: Session): Promise<string> {
	const { fingerprint } = await session.row<{ fingerprint: string }>(fingerprintQuery);
	return fingerprint;
}

/** A sequence's state: the last value, and whether it has been given out. */
export type SequenceLine = readonly [schema: string, sequence: string, last: string, called: boolean];

/** States of all sequences, in a lasting order. */
export async function sequencesOf(session: Session): Promise<SequenceLine[]> {
	const found = await session.rows<{ schema: string; sequence: string }>(`
		SELECT n.nspname AS schema, c.relname AS sequence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname NOT IN ${foreignSchemas}
		ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`);
	const lines: SequenceLine[] = [];
	for (let from = 0; from < found.length; from += 200) {
		const some = found.slice(from, from + 200);
		const selects = some.map(
			({ schema, sequence }, index) => `SELECT ${index} AS at, last_value, is_called FROM ${name(schema, sequence)}`,
		);
		const rows = await session.rows<{ at: string; last_value: string; is_called: string }>(
			`${selects.join(" UNION ALL ")} ORDER BY at`,
		);
		for (const { at, last_value, is_called } of rows) {
			const { schema = "", sequence = "" } = some[Number(at)] ?? {};
			lines.push([schema, sequence, last_value, is_called === "t"]);
		}
	}
	return lines;
}
