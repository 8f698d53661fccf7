import { Problem } from "#protocol/problem.ts";

/** As PostgreSQL writes it; null is NULL. */
export type Value = string | null;
/** 0: not sent, since the update has left this long value as it was. */
export type NewValue = Value | 0;

/**
 * What an entry `changes/…` consists of, one JSON array a line. Never SQL: names and values only. Rows are lists of values in
 * the order of their table's columns. An entry says each table before the first row of it; transactions may go on in the next one.
 */
export type ChangeRecord =
	/** A table under a number; `key` are the positions of the columns a row is found by, null: by all of them. */
	| readonly ["table", number, schema: string, table: string, columns: readonly string[], key: readonly number[] | null]
	| readonly ["insert", number, readonly Value[]]
	/** `old`: the key as it was, or all of the row; null: the key has not changed. */
	| readonly ["update", number, readonly NewValue[], old: readonly Value[] | null]
	| readonly ["delete", number, readonly Value[]]
	| readonly ["truncate", readonly number[], restartSequences: boolean]
	/** The transaction ends, with its position in the log of the old place. */
	| readonly ["commit", string];

export type TableRecord = Extract<ChangeRecord, readonly ["table", ...unknown[]]>;

const isNumber = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown) => typeof value === "string";
const isName = (value: unknown) => typeof value === "string" && value.length > 0 && Buffer.byteLength(value) < 256;
const isFlag = (value: unknown) => typeof value === "boolean";
const isList = (of: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(of);
const orNull = (is: (value: unknown) => boolean) => (value: unknown) => value === null || is(value);
const isRow = isList(orNull(isText));

const shapes: Readonly<Record<string, readonly ((value: unknown) => boolean)[]>> = {
	table: [isNumber, isName, isName, isList(isName), orNull(isList(isNumber))],
	insert: [isNumber, isRow],
	update: [isNumber, isList((value) => value === 0 || orNull(isText)(value)), orNull(isRow)],
	delete: [isNumber, isRow],
	truncate: [isList(isNumber), isFlag],
	commit: [isText],
};

/** Reads one line; whatever does not look like a record is refused. */
export function parseRecord(line: string, path: string): ChangeRecord {
	const [kind, ...rest] = parsed(line, path);
	const shape = typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
	if (!shape || rest.length !== shape.length || !shape.every((fits, index) => fits(rest[index])))
		throw new Problem("volume-unfit", { path, reason: "a change in it is not written as agreed" });
	return [kind, ...rest] as unknown as ChangeRecord;
}

/** Reads a line that is a JSON array. */
export function parsed(line: string, path: string): readonly unknown[] {
	try {
		const value: unknown = JSON.parse(line);
		if (Array.isArray(value)) return value;
	} catch {
		// Said below.
	}
	throw new Problem("volume-unfit", { path, reason: "a line of it is not a JSON array" });
}
