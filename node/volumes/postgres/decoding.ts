import type { ChangeRecord, NewValue, TableRecord, Value } from "./records.ts";

/** A transaction begins; its position is that of its commit. */
export type Decoded = ChangeRecord | readonly ["begin", string];

/**
 * Reads messages of PostgreSQL's `pgoutput` plug-in, protocol version 1 (PostgreSQL manual, 55.9 "Logical Replication Message
 * Formats"). It knows the tables that were described to it.
 */
export class Decoder {
	readonly #tables = new Map<number, TableRecord>();

	/** A message as a record; undefined: it says nothing about rows. */
	read(message: Buffer): Decoded | undefined {
		const reader = new Reader(message);
		const kind = reader.letter();
		if (kind === "B") return ["begin", reader.position()];
		if (kind === "C") {
			reader.byte();
			return ["commit", reader.position()];
		}
		if (kind === "R") return this.#table(reader);
		if (kind === "I") return this.#insert(reader);
		if (kind === "U") return this.#update(reader);
		if (kind === "D") return this.#delete(reader);
		if (kind === "T") return truncation(reader);
		return undefined;
	}

	/** The description of a table that was named by a row before. */
	table(id: number): TableRecord {
		const table = this.#tables.get(id);
		if (!table) throw new Error(`A row of table ${id}, which was not described`);
		return table;
	}

	#table(reader: Reader): undefined {
		const id = reader.word();
		const schema = reader.text() || "pg_catalog";
		const name = reader.text();
		const whole = reader.letter() === "f";
		const columns = Array.from({ length: reader.short() }, () => {
			const isKey = reader.byte() === 1;
			const column = reader.text();
			reader.word();
			reader.word();
			return { column, isKey };
		});
		const key = columns.flatMap(({ isKey }, index) => (isKey ? [index] : []));
		const names = columns.map(({ column }) => column);
		this.#tables.set(id, ["table", id, schema, name, names, whole ? null : key]);
	}

	#insert(reader: Reader): ChangeRecord {
		const id = reader.word();
		reader.letter();
		return ["insert", id, known(reader.row())];
	}

	#update(reader: Reader): ChangeRecord {
		const id = reader.word();
		let old: readonly Value[] | null = null;
		if (reader.letter() !== "N") {
			old = this.#identity(id, known(reader.row()));
			reader.letter();
		}
		return ["update", id, reader.row(), old];
	}

	#delete(reader: Reader): ChangeRecord {
		const id = reader.word();
		reader.letter();
		return ["delete", id, this.#identity(id, known(reader.row()))];
	}

	/** What a row is found by: its key's values, or all. */
	#identity(id: number, row: readonly Value[]): readonly Value[] {
		const key = this.table(id)[5];
		return key ? key.map((index) => row[index] ?? null) : row;
	}
}

function truncation(reader: Reader): ChangeRecord {
	const count = reader.word();
	const options = reader.byte();
	return ["truncate", Array.from({ length: count }, () => reader.word()), (options & 2) !== 0];
}

function known(row: readonly NewValue[]): readonly Value[] {
	if (row.includes(0)) throw new Error("A value was left out where all are needed");
	return row as readonly Value[];
}

class Reader {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	byte(): number {
		return this.#bytes.readUInt8(this.#at++);
	}

	letter(): string {
		return String.fromCharCode(this.byte());
	}

	short(): number {
		this.#at += 2;
		return this.#bytes.readUInt16BE(this.#at - 2);
	}

	word(): number {
		this.#at += 4;
		return this.#bytes.readUInt32BE(this.#at - 4);
	}

	/** As PostgreSQL writes a place in its log, such as `0/16B3748`. */
	position(): string {
		return `${this.word().toString(16)}/${this.word().toString(16)}`.toUpperCase();
	}

	text(): string {
		const end = this.#bytes.indexOf(0, this.#at);
		const text = this.#bytes.toString("utf8", this.#at, end);
		this.#at = end + 1;
		return text;
	}

	row(): NewValue[] {
		return Array.from({ length: this.short() }, () => this.#value());
	}

	#value(): NewValue {
		const kind = this.letter();
		if (kind === "n") return null;
		if (kind === "u") return 0;
		const length = this.word();
		this.#at += length;
		return this.#bytes.toString("utf8", this.#at - length, this.#at);
	}
}
