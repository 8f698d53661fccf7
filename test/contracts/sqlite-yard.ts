/** A database of SQLite that a service writes to. */
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { type Entry, type Place, pieceSize } from "../../node/volumes/volume.ts";
import { noise } from "./round.ts";
import type { VolumeUnderTest, Yard } from "./volume.ts";

export const sqlite = (mode: "WAL" | "DELETE"): VolumeUnderTest => ({
	skip: null,
	open: async (folder) => new SqliteYard(folder, mode),
});

const piece = "A".repeat(43);
const entry = (more: Partial<Entry>): Entry => ({ path: "database", type: "file", size: 3, pieces: [piece], ...more });

class SqliteYard implements Yard {
	readonly from: Place & { kind: "sqlite" };
	readonly to: Place & { kind: "sqlite" };
	readonly rehearsal: Place;
	readonly #mode: string;
	/** As a service has it open for as long as it runs. */
	#service: Sqlite.Database | undefined;

	constructor(folder: string, mode: string) {
		const place = (name: string) => ({ kind: "sqlite", path: join(folder, name, `${name}.db`), owner: null }) as const;
		this.from = place("from");
		this.to = place("to");
		this.rehearsal = place("rehearsal");
		this.#mode = mode;
	}

	async populate(): Promise<void> {
		this.#service = this.#made(this.from.path);
		this.#fill(this.#service, 0, 1500);
	}

	async occupy(): Promise<void> {
		const service = this.#made(this.to.path);
		this.#fill(service, 9000, 100);
		// A copy of what an unclean end leaves: a log that belongs to this database and to no other.
		for (const suffix of ["", "-wal"])
			if (existsSync(this.to.path + suffix)) copyFileSync(this.to.path + suffix, `${this.to.path}.kept${suffix}`);
		service.close();
		for (const suffix of ["", "-wal"])
			if (existsSync(`${this.to.path}.kept${suffix}`))
				copyFileSync(`${this.to.path}.kept${suffix}`, this.to.path + suffix);
	}

	async change(): Promise<number> {
		this.#service?.prepare("UPDATE post SET body = 'changed' WHERE id = 700").run();
		this.#service?.pragma("wal_checkpoint(TRUNCATE)");
		// The page, the one that counts changes, and the one that says what is free.
		return 4 * pieceSize;
	}

	async grow(bytes: number): Promise<void> {
		const service = this.#made(this.from.path);
		for (let done = 0; done < bytes; done += 4096 * 1000) this.#fill(service, done / 4096, 1000, 4096);
		service.close();
	}

	async writeAllTheTime(): Promise<() => Promise<void>> {
		let count = 0;
		const write = this.#service?.prepare("UPDATE post SET body = :body WHERE id = :id");
		const writing = setInterval(() => {
			count++;
			write?.run({ id: (count * 37) % 1500, body: `${count} ${noise(2000, count).toString("hex")}` });
		}, 2);
		return async () => clearInterval(writing);
	}

	async remove(): Promise<null> {
		return null;
	}

	damage = async (scratch: string): Promise<void> => {
		const file = join(scratch, "stage", "database");
		const before = statSync(file).mtimeMs;
		const fd = openSync(file, "r+");
		writeSync(fd, "X", 300_000);
		closeSync(fd);
		if (statSync(file).mtimeMs === before) throw new Error("The time of change should have changed");
	};

	async contents(place: Place): Promise<unknown> {
		if (place.kind !== "sqlite") return null;
		const database = new Sqlite(place.path, { fileMustExist: true });
		try {
			return [database.pragma("integrity_check"), database.prepare("SELECT * FROM post ORDER BY id").all()];
		} finally {
			database.close();
		}
	}

	readonly hostile: Readonly<Record<string, readonly Entry[]>> = {
		"no database": [entry({})],
		"another name": [entry({ path: "other" })],
		"a path that leads out": [entry({ path: "../database" })],
		"a log beside it": [entry({}), entry({ path: "database-wal" })],
		"a link": [entry({ type: "symlink", size: 0, pieces: [], target: "/etc/passwd" })],
		"the same twice": [entry({}), entry({})],
		"nothing at all": [],
		"a database that is torn": [entry({ size: pieceSize * 2, pieces: [piece, `B${piece.slice(1)}`] })],
	};

	async close(): Promise<void> {
		this.#service?.close();
	}

	#made(path: string): Sqlite.Database {
		mkdirSync(join(path, ".."), { recursive: true });
		rmSync(path, { force: true });
		const database = new Sqlite(path);
		database.pragma(`journal_mode = ${this.#mode}`);
		database.exec("CREATE TABLE post (id INTEGER PRIMARY KEY, body TEXT)");
		return database;
	}

	#fill(database: Sqlite.Database, from: number, count: number, length = 4000): void {
		const add = database.prepare("INSERT INTO post (id, body) VALUES (:id, :body)");
		database.transaction(() => {
			for (let id = from; id < from + count; id++) add.run({ id, body: noise(length / 2, id).toString("hex") });
		})();
	}
}
