import { literal, name, type Session } from "./connection.ts";

/** What a table holds, said in two numbers: how many rows, and the sum of their hashes, whatever their order. */
export interface Sum {
	readonly rows: string;
	readonly hash: string;
}

/**
 * Types whose values are hashed as they are, which takes a third of the time of writing a row as text: those that have one hash
 * for just what would be written. Everything else is hashed as text.
 */
const hashable = new Set([
	...["smallint", "integer", "bigint", "boolean", "text", "character varying", "uuid", "bytea", "date"],
	...["timestamp without time zone", "timestamp with time zone"],
]);
const collated = new Set(["text", "character varying"]);

/** The hash of a row of these columns (quoted names, types without a length), the same on both sides whatever their order. */
export function hashOfRow(alias: string, columns: readonly { readonly name: string; readonly type: string }[]): string {
	const sorted = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
	const values = sorted.map(({ name, type }) => {
		// Of a row of one, since a cast of a single value may be anybody's function.
		if (!hashable.has(type)) return `ROW(${alias}.${name})::text COLLATE "C"`;
		return `${alias}.${name}${collated.has(type) ? ' COLLATE "C"' : ""}`;
	});
	return values.length === 0 ? "0" : `hash_record_extended(ROW(${values.join(", ")}), 0)`;
}

/** Columns are taken by name, since a restored table may have them in another order. */
async function columnsOf(session: Session, schema: string, table: string) {
	const columns = await session.rows<{ name: string; type: string }>(`
		SELECT attname AS name, format_type(atttypid, -1) AS type FROM pg_attribute
		WHERE attrelid = ${literal(name(schema, table))}::regclass AND attnum > 0 AND NOT attisdropped`);
	return columns.map((column) => ({ name: name(column.name), type: column.type }));
}

/** Counts and hashes a whole table as the session sees it. Reads all of it, on the server, with as many workers as that gives. */
export async function sumOf(session: Session, schema: string, table: string): Promise<Sum> {
	const hash = hashOfRow("x", await columnsOf(session, schema, table));
	return session.row<Sum>(`
		SELECT count(*)::text AS rows, coalesce(sum(${hash}), 0)::text AS hash FROM ONLY ${name(schema, table)} AS x`);
}
