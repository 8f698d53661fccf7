import { Problem } from "#protocol/problem.ts";
import { literal, name, type Session } from "./connection.ts";
import type { TableRecord } from "./records.ts";
import { ownSchema } from "./schema.ts";

interface Column {
	readonly name: string;
	/** The type, written so that a text can be cast to it. */
	readonly type: string;
	/** The operator by which its values are the same, for the columns of an index. */
	readonly equal: string | null;
	/** Always given out by the database: may be inserted, but not updated. */
	readonly isAlways: boolean;
}

/** A table of the database beside, as changes to it are applied. Types come from here, never from the other side. */
export interface KnownTable {
	/** Quoted. */
	readonly name: string;
	readonly columns: readonly Column[];
	/** Positions of the columns that rows are found by; null: all of them. */
	readonly key: readonly number[] | null;
	/** Deleting or updating a row of another table may have deleted or updated a row of this one already. */
	readonly follows: boolean;
}

const columnsQuery = (table: string) => `
	SELECT a.attname AS name, format_type(a.atttypid, -1) AS type, (a.attidentity = 'a')::text AS always,
		(SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')' FROM pg_index i
			JOIN pg_opclass k ON k.oid = i.indclass[array_position(i.indkey::int2[], a.attnum)]
			JOIN pg_amop p ON p.amopfamily = k.opcfamily AND p.amopstrategy = 3
				AND p.amoplefttype = k.opcintype AND p.amoprighttype = k.opcintype
			JOIN pg_operator o ON o.oid = p.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
			WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND a.attnum = ANY (i.indkey)
			ORDER BY i.indisprimary DESC, i.indisreplident DESC LIMIT 1) AS equal
	FROM pg_attribute a WHERE a.attrelid = ${table} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''`;

/** Looks up a table that changes are about; refuses what is not one of the customer's, or has other columns. */
export async function known(session: Session, record: TableRecord): Promise<KnownTable> {
	const [, , schema, table, columns, key] = record;
	const unfit = (reason: string) => new Problem("volume-unfit", { path: `${schema}.${table}`, reason });
	if (/^pg_/.test(schema) || schema === "information_schema" || schema === ownSchema) throw unfit("it is not a table");
	const [found] = await session.rows<{ oid: string; follows: string }>(
		`SELECT c.oid::text AS oid, EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'
			AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd')))::text AS follows
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'`,
		[schema, table],
	);
	if (!found) throw unfit("there is no such table in the base");
	const rows = await session.rows<{ name: string; type: string; always: string; equal: string | null }>(
		columnsQuery(literal(found.oid)),
	);
	const byName = new Map(rows.map((row) => [row.name, row]));
	if (byName.size !== columns.length) throw unfit("it has other columns than the base");
	const described = columns.map((column): Column => {
		const row = byName.get(column);
		if (!row) throw unfit("it has other columns than the base");
		return { name: name(column), type: row.type, equal: row.equal, isAlways: row.always === "true" };
	});
	if (key?.some((index) => index >= columns.length) || key?.length === 0)
		throw unfit("its key is not one of its columns");
	return { name: name(schema, table), columns: described, key, follows: found.follows === "true" };
}
