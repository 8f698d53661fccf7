import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";

export type Parameters = Record<string, string | number | bigint | Buffer | null>;

/** The node's one SQLite file. Synchronous: keep transactions short and never `await` inside one. */
export class Database {
	readonly #sqlite: Sqlite.Database;
	readonly #statements = new Map<string, Sqlite.Statement<[Parameters]>>();

	/**
	 * Opens the file (`:memory:` for tests) and brings its tables up to date by the numbered SQL beside this file. A file
	 * that something keeps for itself, such as what a move remembers, has only the `tables` that are given as SQL; a power
	 * cut (and nothing else) may take its last transactions.
	 */
	constructor(file: string, tables?: string) {
		// SQLite gives its journal the same mode: what customers confide is for the node's own user alone.
		if (file !== ":memory:") closeSync(openSync(file, "a", 0o600));
		this.#sqlite = new Sqlite(file);
		this.#sqlite.pragma("journal_mode = WAL");
		this.#sqlite.pragma(`synchronous = ${tables === undefined ? "FULL" : "NORMAL"}`);
		this.#sqlite.pragma("foreign_keys = ON");
		this.#sqlite.pragma("busy_timeout = 5000");
		this.#migrate(tables === undefined ? steps() : [{ number: 1, sql: tables }]);
	}

	all<Row>(sql: string, parameters: Parameters = {}): Row[] {
		return this.#prepared(sql).all(parameters) as Row[];
	}

	get<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
		return this.#prepared(sql).get(parameters) as Row | undefined;
	}

	/** Runs a statement that gives no rows; answers how many rows it changed and the last row id. */
	run(sql: string, parameters: Parameters = {}): { changes: number; id: number } {
		const { changes, lastInsertRowid } = this.#prepared(sql).run(parameters);
		return { changes, id: Number(lastInsertRowid) };
	}

	/** All of it or nothing of it; takes the write lock at once, so nothing read in it can be stale. */
	transaction<Result>(work: () => Result): Result {
		return this.#sqlite.inTransaction ? work() : this.#sqlite.transaction(work).immediate();
	}

	close() {
		this.#statements.clear();
		this.#sqlite.close();
	}

	#prepared(sql: string) {
		const known = this.#statements.get(sql);
		if (known) return known;
		const made = this.#sqlite.prepare<[Parameters]>(sql);
		this.#statements.set(sql, made);
		return made;
	}

	#migrate(all: ReturnType<typeof steps>) {
		const done = this.#sqlite.pragma("user_version", { simple: true }) as number;
		for (const { number, sql } of all.filter((step) => step.number > done)) {
			this.transaction(() => {
				this.#sqlite.exec(sql);
				this.#sqlite.pragma(`user_version = ${number}`);
			});
		}
	}
}

/** True when an error says that a UNIQUE or PRIMARY KEY constraint refused a row. */
export function isDuplicate(error: unknown): boolean {
	return error instanceof Sqlite.SqliteError && /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code);
}

function steps() {
	return readdirSync(import.meta.dirname)
		.filter((file) => /^\d{4}-.*\.sql$/.test(file))
		.sort()
		.map((file) => ({
			number: Number(file.slice(0, 4)),
			sql: readFileSync(join(import.meta.dirname, file), "utf8"),
		}));
}
