/** What a database on the move promises beyond what every volume does (test/contracts/volume.ts). */
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { gathered, listed, listingOf, never, noise, round } from "../../../test/contracts/round.ts";
import { pieceSize } from "../volume.ts";
import { SqliteSource } from "./source.ts";
import { SqliteTarget } from "./target.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "sqlite-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const source = () => new SqliteSource(at("from.db"), at("s"));
const target = (path = at("to.db")) => new SqliteTarget({ path, owner: null, scratch: at("t"), seeds: [] });

/** A database whose service has it open, with the given words in it. */
function made(path: string, words: readonly string[]): Sqlite.Database {
	const database = new Sqlite(path);
	database.pragma("journal_mode = WAL");
	database.exec("CREATE TABLE word (text TEXT)");
	for (const text of words) database.prepare("INSERT INTO word VALUES (?)").run(text);
	return database;
}

function wordsIn(path: string): unknown[] {
	const database = new Sqlite(path, { fileMustExist: true });
	try {
		return database.prepare("SELECT text FROM word").pluck().all();
	} finally {
		database.close();
	}
}

/** What is left of a database whose service was killed: its log was never written into it. */
function killed(path: string, words: readonly string[]): void {
	const database = made(at("living.db"), words);
	for (const suffix of ["", "-wal"]) copyFileSync(at("living.db") + suffix, path + suffix);
	database.close();
}

test("moves what is only in the log of a service that was killed", async () => {
	killed(at("from.db"), ["written", "last"]);
	expect(statSync(at("from.db-wal")).size).toBeGreaterThan(0);
	const to = target();
	expect((await round(source(), to, { frozen: true })).left).toEqual([]);
	await to.swap(never);
	expect(wordsIn(at("to.db"))).toEqual(["written", "last"]);
});

test("nothing of the former database is left beside the new one", async () => {
	made(at("from.db"), ["new"]).close();
	killed(at("to.db"), ["old"]);
	writeFileSync(at("to.db-journal"), "torn");
	const to = target();
	await round(source(), to, { frozen: true });
	expect(existsSync(at("to.db-wal"))).toBe(true);
	await to.swap(never);
	expect(readdirSync(folder).filter((name) => name.startsWith("to.db"))).toEqual(["to.db"]);
	expect(wordsIn(at("to.db"))).toEqual(["new"]);
});

test("is not copied again while nobody writes", async () => {
	const service = made(at("from.db"), ["one"]);
	const from = source();
	await listed(from, false);
	await listed(from, false);
	const { ino } = statSync(at("s", "copy", "database"));
	await listed(from, false);
	expect(statSync(at("s", "copy", "database")).ino).toBe(ino);
	service.prepare("INSERT INTO word VALUES ('two')").run();
	await listed(from, false);
	expect(statSync(at("s", "copy", "database")).ino).not.toBe(ino);
	service.close();
});

test("refuses what SQLite finds fault with", async () => {
	mkdirSync(at("broken"));
	writeFileSync(at("from.db"), noise(pieceSize, "no database"));
	const entries = [...(await listed(new SqliteSource(at("from.db"), at("s")), true).catch(() => []))];
	expect(entries).toHaveLength(1);
	await expect(round(source(), target(), { frozen: true })).rejects.toMatchObject({ code: "volume-unfit" });
	await expect(target().swap(never)).rejects.toThrow();
	expect(existsSync(at("to.db"))).toBe(false);
});

test("must be there", async () => {
	await expect(listed(source(), false)).rejects.toMatchObject({ code: "volume-unfit" });
	await expect(gathered(target().lacking(listingOf([]), never))).rejects.toMatchObject({ code: "volume-unfit" });
});
