import { Problem } from "#protocol/problem.ts";
import { type Sum, sumOf } from "./checks.ts";
import { literal, name, type Session } from "./connection.ts";
import type { ChangeRecord, NewValue, TableRecord } from "./records.ts";
import { sumOfRows } from "./rows.ts";
import { known } from "./tables.ts";

/** Changes of so many bytes are looked at again when nobody writes any more: what that costs does not grow with the database. */
export const bytesLookedAt = 8 * 1024 * 1024;
/** Tables without a key are summed as a whole while they have no more bytes than this. */
const wholeUpTo = 8 * 1024 * 1024;
const keysAtOnce = 2000;

/** One table of an entry `checks`: what the rows are now whose keys stand in the changes; `whole`: all its rows. */
export type CheckLine = readonly [schema: string, table: string, whole: boolean, rows: string, hash: string];

interface Touched {
	readonly table: TableRecord;
	readonly keys: Map<string, readonly string[]>;
}

/** Which rows changes are about, by table. Keys that are NULL or were not sent cannot be, since they are keys. */
async function touchedBy(records: AsyncIterable<ChangeRecord>): Promise<Touched[]> {
	const found = new Map<string, Touched>();
	const tables = new Map<number, Touched>();
	for await (const record of records) {
		if (record[0] === "table") {
			const table = name(record[2], record[3]);
			found.set(table, found.get(table) ?? { table: record, keys: new Map() });
			tables.set(record[1], found.get(table) as Touched);
		} else if (record[0] !== "commit" && record[0] !== "truncate") note(tables.get(record[1]), record);
	}
	return [...found.values()];
}

function note(
	touched: Touched | undefined,
	record: Extract<ChangeRecord, readonly ["insert" | "update" | "delete", ...unknown[]]>,
): void {
	const key = touched?.table[5];
	if (!touched || !key) return;
	const add = (values: readonly (NewValue | undefined)[]) => {
		const texts = values.filter((value) => typeof value === "string");
		if (texts.length === key.length) touched.keys.set(JSON.stringify(texts), texts);
	};
	if (record[0] === "update" && record[3]) add(record[3]);
	add(record[0] === "delete" ? record[2] : key.map((index) => record[2][index]));
}

/** Says what the rows that changes are about have become. Each row, so also one that must be gone, counts. */
export async function checksFor(session: Session, records: AsyncIterable<ChangeRecord>): Promise<CheckLine[]> {
	const lines: CheckLine[] = [];
	for (const touched of await touchedBy(records)) {
		const [, , schema, table, , key] = touched.table;
		const { bytes } = await session.row<{ bytes: string }>(
			`SELECT pg_table_size(${literal(name(schema, table))}::regclass) AS bytes`,
		);
		const whole = key === null && Number(bytes) <= wholeUpTo;
		if (key === null && !whole) continue;
		const { rows, hash } = whole ? await sumOf(session, schema, table) : await sumOfKeys(session, touched);
		lines.push([schema, table, whole, rows, hash]);
	}
	return lines;
}

/** Compares the same rows here; throws `volume-unfit` if one of them is not what it should be. */
export async function compareChecks(
	session: Session,
	records: AsyncIterable<ChangeRecord>,
	lines: AsyncIterable<readonly unknown[]>,
): Promise<void> {
	const all = new Map((await touchedBy(records)).map((one) => [name(one.table[2], one.table[3]), one]));
	for await (const [schema, table, whole, rows, hash] of lines) {
		const quoted = name(String(schema), String(table));
		const touched = all.get(quoted);
		if (!touched) throw new Problem("volume-unfit", { path: quoted, reason: "nothing in it has changed" });
		const sum =
			whole === true ? await sumOf(session, touched.table[2], touched.table[3]) : await sumOfKeys(session, touched);
		if (sum.rows !== rows || sum.hash !== hash)
			throw new Problem("volume-unfit", {
				path: quoted,
				reason: "rows that have changed are not the same on both sides",
			});
	}
}

async function sumOfKeys(session: Session, { table, keys }: Touched): Promise<Sum> {
	const described = await known(session, table);
	const all = [...keys.values()];
	let rows = 0n;
	let hash = 0n;
	for (let from = 0; from < all.length; from += keysAtOnce) {
		const { sql, values } = sumOfRows(described, all.slice(from, from + keysAtOnce));
		const sum = await session.row<Sum>(sql, values);
		rows += BigInt(sum.rows);
		hash += BigInt(sum.hash);
	}
	return { rows: String(rows), hash: String(hash) };
}
