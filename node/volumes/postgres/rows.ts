import { hashOfRow } from "./checks.ts";
import type { NewValue, Value } from "./records.ts";
import type { KnownTable } from "./tables.ts";

/** A statement for some rows at once: its parameters are lists of texts, one a column. */
export interface Statement {
	readonly sql: string;
	readonly values: readonly (readonly Value[])[];
}

const lists = (from: number, count: number) =>
	Array.from({ length: count }, (_, index) => `$${from + index + 1}::text[]`).join(", ");
const columnsOf = <Item>(rows: readonly (readonly Item[])[], index: number) => rows.map((row) => row[index] ?? null);
const given = (count: number) =>
	`unnest(${lists(0, count)}) AS v(${Array.from({ length: count }, (_, index) => `c${index}`).join(", ")})`;
/** Tables may have no columns at all, and rows nevertheless. */
const bare = (rows: readonly unknown[]) => `generate_series(1, ${rows.length}) AS v(none)`;

/** What is given for rows that exist, with the place of the row where they have no key: looked up once, and not for every row. */
function givenFor(table: KnownTable, count: number, rows: readonly unknown[]): string {
	if (table.key) return given(count);
	const from = count > 0 ? given(count) : bare(rows);
	const same = table.columns.map(({ name }, index) => `i.${name}::text IS NOT DISTINCT FROM v.c${index}`).join(" AND ");
	const where = same && ` WHERE ${same}`;
	return `(SELECT v.*, (SELECT i.ctid FROM ONLY ${table.name} AS i${where} LIMIT 1) AS place FROM ${from} OFFSET 0) AS v`;
}

/** Rows, all with all columns. */
export function inserting(table: KnownTable, rows: readonly (readonly Value[])[]): Statement {
	if (table.columns.length === 0) return { sql: `INSERT INTO ${table.name} SELECT FROM ${bare(rows)}`, values: [] };
	const names = table.columns.map((column) => column.name).join(", ");
	const casts = table.columns.map((column, index) => `CAST(v.c${index} AS ${column.type})`).join(", ");
	return {
		sql: `INSERT INTO ${table.name} (${names}) OVERRIDING SYSTEM VALUE SELECT ${casts} FROM ${given(table.columns.length)}`,
		values: table.columns.map((_, index) => columnsOf(rows, index)),
	};
}

/** Rows by what they are found by. */
export function deleting(table: KnownTable, identities: readonly (readonly Value[])[]): Statement {
	const count = table.key?.length ?? table.columns.length;
	return {
		sql: `DELETE FROM ONLY ${table.name} AS o USING ${givenFor(table, count, identities)} WHERE ${found(table)}`,
		values: Array.from({ length: count }, (_, index) => columnsOf(identities, index)),
	};
}

/** New values of rows, which all leave the same columns as they are; undefined: there is nothing to change. */
export function updating(
	table: KnownTable,
	rows: readonly { readonly identity: readonly Value[]; readonly row: readonly NewValue[] }[],
): Statement | undefined {
	const first = rows[0]?.row ?? [];
	const changed = table.columns.flatMap(({ isAlways }, index) => (first[index] === 0 || isAlways ? [] : [index]));
	if (changed.length === 0) return undefined;
	const count = table.key?.length ?? table.columns.length;
	const sets = changed.map((column, index) => {
		const { name, type } = table.columns[column] ?? { name: "", type: "" };
		return `${name} = CAST(v.c${count + index} AS ${type})`;
	});
	return {
		sql: `UPDATE ONLY ${table.name} AS o SET ${sets.join(", ")} FROM ${givenFor(table, count + changed.length, rows)} WHERE ${found(table)}`,
		values: [
			...Array.from({ length: count }, (_, index) =>
				columnsOf(
					rows.map(({ identity }) => identity),
					index,
				),
			),
			...changed.map((column) => rows.map(({ row }) => (row[column] as Value) ?? null)),
		],
	};
}

/** Counts rows and sums their hashes, as checks.ts does for a whole table; these by their keys. */
export function sumOfRows(table: KnownTable, keys: readonly (readonly Value[])[]): Statement {
	const count = table.key?.length ?? 0;
	return {
		sql: `SELECT count(*)::text AS rows, coalesce(sum(${hashOfRow("o", table.columns)}), 0)::text AS hash
			FROM ${given(count)} JOIN ONLY ${table.name} AS o ON ${found(table)}`,
		values: Array.from({ length: count }, (_, index) => columnsOf(keys, index)),
	};
}

/** How the row `o` is found. Without a key there may be several of the same: then one of them is meant. */
function found(table: KnownTable): string {
	if (!table.key) return "o.ctid = v.place";
	return table.key
		.map((column, index) => {
			const { name, type, equal } = table.columns[column] ?? { name: "", type: "", equal: null };
			return equal
				? `o.${name} ${equal} CAST(v.c${index} AS ${type})`
				: `o.${name}::text IS NOT DISTINCT FROM v.c${index}`;
		})
		.join(" AND ");
}
