import { literal, name, type Session } from "./connection.ts";

/** What a table holds, said in two numbers: how many rows, and the sum of their hashes, whatever their order. */
export interface Sum {
	readonly rows: string;
	readonly hash: string;
}

/** Columns are taken by name, since a restored table may have them in another order. */
async function rowOf(session: Session, schema: string, table: string): Promise<string> {
	const columns = await session.rows<{ name: string }>(`
		SELECT attname AS name FROM pg_attribute
		WHERE attrelid = ${literal(name(schema, table))}::regclass AND attnum > 0 AND NOT attisdropped
		ORDER BY attname COLLATE "C"`);
	return `ROW(${columns.map((column) => `x.${name(column.name)}`).join(", ")})`;
}

/** Counts and hashes a whole table as the session sees it. Reads all of it, on the server, with as many workers as that gives. */
export async function sumOf(session: Session, schema: string, table: string): Promise<Sum> {
	const row = await rowOf(session, schema, table);
	return session.row<Sum>(`
		SELECT count(*)::text AS rows, coalesce(sum(hashtextextended(${row}::text, 0)), 0)::text AS hash
		FROM ONLY ${name(schema, table)} AS x`);
}
