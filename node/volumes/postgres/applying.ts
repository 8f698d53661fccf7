import { Problem } from "#protocol/problem.ts";
import { name, type Session, sqlState } from "./connection.ts";
import type { ChangeRecord, NewValue, Value } from "./records.ts";
import { deleting, inserting, type Statement, updating } from "./rows.ts";
import { ownSchema } from "./schema.ts";
import { type KnownTable, known } from "./tables.ts";

/** A record, and where it stands: the number of its entry, and of its line there, from 1. */
export interface Placed {
	readonly entry: number;
	readonly line: number;
	readonly record: ChangeRecord;
}

type Waiting =
	| { readonly kind: "insert"; readonly table: KnownTable; readonly rows: (readonly Value[])[] }
	| {
			readonly kind: "delete";
			readonly table: KnownTable;
			readonly rows: (readonly Value[])[];
			readonly keys: Set<string>;
	  }
	| {
			readonly kind: "update";
			readonly table: KnownTable;
			/** Which columns stay as they are. */
			readonly shape: string;
			readonly rows: { identity: readonly Value[]; row: readonly NewValue[] }[];
			readonly keys: Set<string>;
	  };

/** Rows that go into one statement, and changes that go into one transaction, at most (but never half of one). */
const rowsAtOnce = 500;
const bytesAtOnce = 4 * 1024 * 1024;
const changesAtOnce = 5_000;

/** Plans that read a whole table for a few keys are never meant here. */
export const applySettings = {
	enable_hashjoin: "off",
	enable_mergejoin: "off",
	enable_seqscan: "off",
	synchronous_commit: "off",
};

/**
 * Applies changes in the order of their transactions, each exactly once: how far it is stands in the database itself and is
 * written in the same transaction. Rows of the same kind that follow each other go into one statement.
 */
export class Application {
	readonly #session: Session;
	readonly #tables = new Map<number, KnownTable>();
	#waiting: Waiting | null = null;
	#waitingBytes = 0;
	#count = 0;
	#isOpen = false;
	#isBetween = true;

	constructor(session: Session) {
		this.#session = session;
	}

	async apply(records: AsyncIterable<Placed>): Promise<void> {
		let position = await this.#position();
		try {
			for await (const placed of records) {
				const isNew = placed.entry > position.entry || (placed.entry === position.entry && placed.line > position.line);
				if (placed.record[0] === "table") await this.#describe(placed.record);
				else if (isNew && (await this.#take(placed.record))) {
					position = { entry: placed.entry, line: placed.line };
					if (this.#count >= changesAtOnce) await this.#commit(position);
				}
			}
			if (!this.#isBetween)
				throw new Problem("volume-unfit", { path: "changes", reason: "the last transaction does not end" });
			await this.#commit(position);
		} catch (error) {
			if (this.#isOpen) await this.#session.run("ROLLBACK").catch(() => {});
			throw error;
		}
	}

	async #position(): Promise<{ entry: number; line: number }> {
		const { entry, line } = await this.#session.row<{ entry: string; line: string }>(
			`SELECT entry, line FROM ${ownSchema}.position`,
		);
		return { entry: Number(entry), line: Number(line) };
	}

	async #describe(record: Extract<ChangeRecord, readonly ["table", ...unknown[]]>): Promise<void> {
		await this.#flush();
		this.#tables.set(record[1], await known(this.#session, record));
	}

	#table(id: number, row: readonly unknown[], isKey: boolean): KnownTable {
		const table = this.#tables.get(id);
		if (!table) throw new Problem("volume-unfit", { path: "changes", reason: "a row is of no table" });
		const length = isKey && table.key ? table.key.length : table.columns.length;
		if (row.length !== length)
			throw new Problem("volume-unfit", { path: table.name, reason: "a row has another length" });
		return table;
	}

	/** Answers whether a transaction has ended with this record. */
	async #take(record: ChangeRecord): Promise<boolean> {
		if (record[0] === "commit") {
			this.#isBetween = true;
			return true;
		}
		await this.#begin();
		this.#isBetween = false;
		this.#count++;
		if (record[0] === "insert") await this.#insert(this.#table(record[1], record[2], false), record[2]);
		if (record[0] === "delete") await this.#delete(this.#table(record[1], record[2], true), record[2]);
		if (record[0] === "update") await this.#update(this.#table(record[1], record[2], false), record[2], record[3]);
		if (record[0] === "truncate") await this.#truncate(record[1], record[2]);
		return false;
	}

	async #begin(): Promise<void> {
		if (this.#isOpen) return;
		await this.#session.run("BEGIN");
		this.#isOpen = true;
		await this.#session.run("SET CONSTRAINTS ALL DEFERRED");
	}

	async #commit(position: { entry: number; line: number }): Promise<void> {
		if (!this.#isOpen) return;
		await this.#flush();
		await this.#session.run(`UPDATE ${ownSchema}.position SET entry = $1, line = $2`, [position.entry, position.line]);
		await this.#session.run("COMMIT");
		this.#isOpen = false;
		this.#count = 0;
	}

	async #insert(table: KnownTable, row: readonly Value[]): Promise<void> {
		let waiting = this.#waiting;
		if (waiting?.kind !== "insert" || waiting.table !== table) {
			await this.#flush();
			waiting = this.#waiting = { kind: "insert", table, rows: [] };
		}
		waiting.rows.push(row);
		await this.#grown(row);
	}

	async #delete(table: KnownTable, identity: readonly Value[]): Promise<void> {
		let waiting = this.#waiting;
		const key = JSON.stringify(identity);
		if (waiting?.kind !== "delete" || waiting.table !== table || !table.key || waiting.keys.has(key)) {
			await this.#flush();
			waiting = this.#waiting = { kind: "delete", table, rows: [], keys: new Set() };
		}
		waiting.keys.add(key);
		waiting.rows.push(identity);
		await this.#grown(identity);
	}

	async #update(table: KnownTable, row: readonly NewValue[], old: readonly Value[] | null): Promise<void> {
		const identity = old ?? this.#keyOf(table, row);
		if (identity.length !== (table.key?.length ?? table.columns.length))
			throw new Problem("volume-unfit", { path: table.name, reason: "a row has another length" });
		const key = JSON.stringify(identity);
		const shape = row.map((value) => (value === 0 ? "0" : "1")).join("");
		let waiting = this.#waiting;
		const isSame = waiting?.kind === "update" && waiting.table === table && waiting.shape === shape;
		// A row that has got another key, or is changed twice, is not mixed with others.
		if (waiting?.kind !== "update" || !isSame || old || waiting.keys.has(key)) {
			await this.#flush();
			waiting = this.#waiting = { kind: "update", table, shape, rows: [], keys: new Set() };
		}
		waiting.keys.add(key);
		waiting.rows.push({ identity, row });
		if (old) await this.#flush();
		else await this.#grown(row);
	}

	#keyOf(table: KnownTable, row: readonly NewValue[]): readonly Value[] {
		return (table.key ?? []).map((index) => {
			const value = row[index];
			if (value === 0) throw new Problem("volume-unfit", { path: table.name, reason: "the key of a row was left out" });
			return value ?? null;
		});
	}

	async #truncate(ids: readonly number[], restart: boolean): Promise<void> {
		await this.#flush();
		const names = ids.map((id) => this.#tables.get(id)?.name);
		if (names.length === 0 || names.includes(undefined))
			throw new Problem("volume-unfit", { path: "changes", reason: "a table that is emptied is unknown" });
		await this.#session.run(`TRUNCATE ONLY ${names.join(", ONLY ")}${restart ? " RESTART IDENTITY" : ""}`);
	}

	async #grown(row: readonly NewValue[]): Promise<void> {
		for (const value of row) this.#waitingBytes += value ? value.length : 1;
		if ((this.#waiting?.rows.length ?? 0) >= rowsAtOnce || this.#waitingBytes > bytesAtOnce) await this.#flush();
	}

	async #flush(): Promise<void> {
		const waiting = this.#waiting;
		this.#waiting = null;
		this.#waitingBytes = 0;
		if (!waiting) return;
		const { rows } = waiting;
		if (rows.length > 1 && (await this.#tried(statementFor(waiting, rows), rows.length))) return;
		for (const row of rows) await this.#one(waiting, row);
	}

	/** Runs a statement for many rows; if it does not do what was meant, nothing has happened. */
	async #tried(statement: Statement | undefined, count: number): Promise<boolean> {
		if (!statement) return true;
		await this.#session.run("SAVEPOINT batch");
		try {
			if ((await this.#session.run(statement.sql, statement.values)) === count) {
				await this.#session.run("RELEASE SAVEPOINT batch");
				return true;
			}
		} catch (error) {
			// Class 23: in another order than that of the rows, a constraint may not hold.
			if (!sqlState(error)?.startsWith("23")) throw error;
		}
		await this.#session.run("ROLLBACK TO SAVEPOINT batch");
		await this.#session.run("RELEASE SAVEPOINT batch");
		return false;
	}

	async #one(waiting: Waiting, row: Waiting["rows"][number]): Promise<void> {
		const statement = statementFor(waiting, [row]);
		if (!statement) return;
		const count = await this.#session.run(statement.sql, statement.values);
		if (count === 1) return;
		if (count === 0 && waiting.table.follows) return this.#followed(waiting, row);
		throw new Problem("volume-unfit", {
			path: waiting.table.name,
			reason: `a change is to ${count} rows in place of one`,
		});
	}

	/** A foreign key's action was quicker: the row is gone, or has its new key already. */
	async #followed(waiting: Waiting, one: Waiting["rows"][number]): Promise<void> {
		if (waiting.kind !== "update" || !("row" in one) || !waiting.table.key) return;
		const statement = updating(waiting.table, [{ identity: this.#keyOf(waiting.table, one.row), row: one.row }]);
		const count = statement ? await this.#session.run(statement.sql, statement.values) : 1;
		if (count !== 1)
			throw new Problem("volume-unfit", { path: waiting.table.name, reason: "a changed row is not there" });
	}
}

function statementFor(waiting: Waiting, rows: readonly unknown[]): Statement | undefined {
	const { kind, table } = waiting;
	if (kind === "insert") return inserting(table, rows as typeof waiting.rows);
	if (kind === "delete") return deleting(table, rows as typeof waiting.rows);
	return updating(table, rows as typeof waiting.rows);
}

/** Sets sequences to where they are at the old place. */
export async function setSequences(session: Session, lines: AsyncIterable<readonly unknown[]>): Promise<void> {
	for await (const line of lines) {
		const [schema, sequence, last, called] = line;
		const isFit =
			line.length === 4 &&
			[schema, sequence].every((part) => typeof part === "string") &&
			/^-?\d{1,19}$/.test(String(last)) &&
			typeof called === "boolean";
		if (!isFit) throw new Problem("volume-unfit", { path: "sequences", reason: "a line of it is not as agreed" });
		const [found] = await session.rows<{ oid: string }>(
			`SELECT c.oid::text AS oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'S'`,
			[schema, sequence],
		);
		if (!found)
			throw new Problem("volume-unfit", {
				path: name(String(schema), String(sequence)),
				reason: "there is no such sequence",
			});
		await session.run("SELECT setval($1::oid::regclass, $2::bigint, $3::boolean)", [found.oid, last, called]);
	}
}
