import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Problem } from "#protocol/problem.ts";
import type { Entry, Listing, Piece, PieceName, Place, Target, VolumeOptions } from "../volume.ts";
import { Application, applySettings, type Placed, setSequences } from "./applying.ts";
import { copyDatabase, dropDatabase, hasDatabase, makeDatabase, namesBeside, takePlace, writeOut } from "./beside.ts";
import { inMaintenance, inSession, type PostgresPlace, type Session, sqlState } from "./connection.ts";
import { type Contents, contentsOf, largeIn, lookedAt } from "./contents.ts";
import { disarm, ownTables, rearm, unbind } from "./disarming.ts";
import { largeOid } from "./large.ts";
import { dropLarge, lackingLarge, putLarge } from "./large-target.ts";
import { compareTables } from "./loading.ts";
import { runProgram } from "./programs.ts";
import { type ChangeRecord, parsed, parseRecord } from "./records.ts";
import { Restoring } from "./restoring.ts";
import { ownSchema } from "./schema.ts";
import { digestOf, Shelf, shelfName } from "./shelf.ts";
import { known } from "./tables.ts";
import { compareChecks } from "./touched.ts";

/** How far the database beside is. */
interface Standing {
	/** The base it was restored from; null: none, or not to the end. */
	readonly base: string | null;
	readonly settled: string | null;
	readonly position: number;
}

const nowhere: Standing = { base: null, settled: null, position: 0 };

/** See `openPostgresTarget`. */
export class PostgresTarget implements Target {
	readonly #place: PostgresPlace;
	readonly #scratch: string;
	readonly #beside: string;
	readonly #closed = new AbortController();
	#shelf: Promise<Shelf> | null = null;
	/** Of pieces that were asked for: what they are called by their hash. */
	readonly #asked = new Map<string, string>();
	/** The base that is coming, which is restored meanwhile. */
	#restoring: { readonly digest: string; readonly work: Restoring } | null = null;

	constructor(place: PostgresPlace, options: VolumeOptions) {
		this.#place = place;
		this.#scratch = options.scratch;
		this.#beside = namesBeside(place).arriving;
	}

	async *lacking(listing: Listing, outer: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		const signal = this.#until(outer);
		const shelf = await this.#opened(signal);
		shelf.begin();
		this.#asked.clear();
		const contents = await contentsOf(listing);
		const { base } = contents;
		await this.#stopRestoring(digestOf(base));
		const wanted = this.#wanted(contents, await this.#standing(signal));
		if (wanted.includes(base)) await this.#mustTake(base, signal);
		if (wanted.includes(base)) this.#restoring ??= { digest: digestOf(base), work: await this.#restores(base) };
		for (const entry of wanted) yield* this.#lackingOf(entry, await shelf.lacking(entry));
		if (contents.hasLarge)
			for await (const entries of largeIn(listing))
				for (const entry of await this.#largeToDo(entries, contents, signal))
					yield* this.#lackingOf(entry, await shelf.lacking(entry));
		await shelf.close();
	}

	async write(pieces: readonly Piece[]): Promise<void> {
		const shelf = await this.#opened(this.#closed.signal);
		for (const { path, index, bytes } of pieces) {
			const hash = this.#asked.get(`${index} ${path}`);
			if (hash !== undefined) await shelf.put(hash, bytes);
		}
		this.#restoring?.work.more();
		await shelf.close();
	}

	async settle(listing: Listing, outer: AbortSignal): Promise<readonly PieceName[]> {
		const signal = this.#until(outer);
		const contents = await contentsOf(listing);
		const standing = await this.#standing(signal);
		if (standing.settled === contents.digest) return [];
		const lacking = await this.#damaged(listing, contents, standing, signal);
		if (lacking.length > 0) return lacking;
		if (standing.base !== digestOf(contents.base)) await this.#restore(contents, signal);
		await this.#inBeside(signal, async (session) => {
			await session.run(`DELETE FROM ${ownSchema}.settled`);
			await this.#applyChanges(session, contents);
			await setSequences(session, this.#lines(contents.sequences));
			if (contents.checks) await compareChecks(session, this.#lookedAt(contents), this.#lines(contents.checks));
			await this.#large(session, listing, signal);
			await session.run("SET synchronous_commit = on");
			await session.run(`INSERT INTO ${ownSchema}.settled VALUES ($1)`, [contents.digest]);
		});
		await this.#tidy(listing, contents);
		return [];
	}

	async copyTo(place: Place, outer: AbortSignal): Promise<void> {
		const signal = this.#until(outer);
		if (place.kind !== "postgres") throw new Error("A database can only be copied to a database");
		await this.#mustHaveSettled(signal);
		if (place.host === this.#place.host && place.port === this.#place.port && place.user === this.#place.user)
			await copyDatabase(this.#place, this.#beside, place.database, signal);
		else await this.#copyElsewhere(place, signal);
		await inSession(place, signal, clearOurs);
	}

	async swap(outer: AbortSignal): Promise<void> {
		const signal = this.#until(outer);
		const isBeside = await inMaintenance(this.#place, signal, (session) => hasDatabase(session, this.#beside));
		if (isBeside) {
			await this.#mustHaveSettled(signal);
			await mkdir(this.#scratch, { recursive: true, mode: 0o700 });
			await writeFile(join(this.#scratch, "swapping"), "");
			await inSession(this.#place, signal, clearOurs, { database: this.#beside });
		}
		await takePlace(this.#place, signal);
		await this.#clear();
	}

	async close(): Promise<void> {
		this.#closed.abort();
		await this.#stopRestoring();
		await (await this.#shelf?.catch(() => null))?.close();
	}

	async discard(): Promise<void> {
		const signal = AbortSignal.timeout(120_000);
		await this.#stopRestoring();
		await inMaintenance(this.#place, signal, (session) => dropDatabase(session, this.#beside));
		await this.#clear();
	}

	/** A server takes dumps of its own major version and of older ones (PostgreSQL manual, "pg_dump"); said before any of it is fetched. */
	async #mustTake({ meta }: Entry, signal: AbortSignal): Promise<void> {
		const query = "SELECT current_setting('server_version') AS version";
		const own = await inMaintenance(this.#place, signal, (session) => session.row<{ version: string }>(query));
		const [there, here] = [majorOf(meta?.["version"]), majorOf(own.version)];
		if (there > here) throw new Problem("database-older", { there, here });
	}

	#until = (signal: AbortSignal) => AbortSignal.any([signal, this.#closed.signal]);

	#opened(signal: AbortSignal): Promise<Shelf> {
		this.#shelf ??= (async () => {
			const shelf = new Shelf(join(this.#scratch, "shelf"));
			await shelf.open(signal);
			return shelf;
		})().catch((error) => {
			this.#shelf = null;
			throw error;
		});
		return this.#shelf;
	}

	async #inBeside<Result>(signal: AbortSignal, work: (session: Session) => Promise<Result>): Promise<Result> {
		return inSession(this.#place, signal, work, { database: this.#beside, settings: applySettings });
	}

	async #standing(signal: AbortSignal): Promise<Standing> {
		// Another one takes its place, at any moment.
		if (this.#restoring?.work.isUnderWay) return nowhere;
		try {
			return await inSession(this.#place, signal, standingIn, { database: this.#beside });
		} catch (error) {
			// 3D000: no such database, 42P01: none of ours, since its base was not restored to the end.
			if (["3D000", "42P01", "3F000"].includes(sqlState(error) ?? "")) return nowhere;
			throw error;
		}
	}

	/** Settled or about to be swapped, when it has lost what says so. */
	async #mustHaveSettled(signal: AbortSignal): Promise<void> {
		if ((await this.#standing(signal)).settled !== null) return;
		if (existsSync(join(this.#scratch, "swapping"))) return;
		throw new Error("Nothing has settled yet");
	}

	/** The entries but large objects whose content is still needed. */
	#wanted(contents: Contents, standing: Standing): readonly Entry[] {
		const { base, tables, changes, sequences, checks } = contents;
		const last = [sequences, ...(checks ? [checks] : [])];
		if (standing.base !== digestOf(base)) return [base, ...(tables ? [tables] : []), ...changes, ...last];
		const again = new Set(checks ? lookedAt(changes) : []);
		return [...changes.filter((entry, index) => index >= standing.position - 1 || again.has(entry)), ...last];
	}

	*#lackingOf(entry: Entry, indexes: readonly number[]): Generator<readonly PieceName[]> {
		for (const index of indexes) this.#asked.set(`${index} ${entry.path}`, entry.pieces[index] ?? "");
		for (let from = 0; from < indexes.length; from += 1000)
			yield indexes.slice(from, from + 1000).map((index) => ({ path: entry.path, index }));
	}

	async #largeToDo(entries: readonly Entry[], contents: Contents, signal: AbortSignal): Promise<readonly Entry[]> {
		const { base } = await this.#standing(signal);
		if (base !== digestOf(contents.base)) return entries;
		return this.#inBeside(signal, (session) => lackingLarge(session, entries));
	}

	async #damaged(listing: Listing, contents: Contents, standing: Standing, signal: AbortSignal) {
		const shelf = await this.#opened(signal);
		const found: PieceName[] = [];
		const look = async (entry: Entry) => {
			for (const index of await shelf.damage(entry, signal)) {
				this.#asked.set(`${index} ${entry.path}`, entry.pieces[index] ?? "");
				found.push({ path: entry.path, index });
			}
		};
		for (const entry of this.#wanted(contents, standing)) await look(entry);
		if (contents.hasLarge)
			for await (const entries of largeIn(listing))
				for (const entry of await this.#largeToDo(entries, contents, signal)) await look(entry);
		return found;
	}

	async #restore(contents: Contents, signal: AbortSignal): Promise<void> {
		const { base } = contents;
		const restoring = this.#restoring?.digest === digestOf(base) ? this.#restoring.work : await this.#restores(base);
		this.#restoring = null;
		await restoring.finish(signal);
		await inSession(this.#place, signal, (session) => this.#checked(session, contents), { database: this.#beside });
		if (contents.tables) await writeOut(this.#place, this.#beside, signal);
	}

	async #restores(base: Entry): Promise<Restoring> {
		const file = (await this.#opened(this.#closed.signal)).path(base);
		return new Restoring({ base, file, place: this.#place, database: this.#beside, scratch: this.#scratch });
	}

	/** What was begun ends, unless it is of this base. */
	async #stopRestoring(digest?: string): Promise<void> {
		if (!this.#restoring || this.#restoring.digest === digest) return;
		const { work } = this.#restoring;
		this.#restoring = null;
		await work.stop();
	}

	async #checked(session: Session, contents: Contents): Promise<void> {
		if (contents.tables) await compareTables(session, this.#lines(contents.tables));
		await session.transaction("BEGIN", async () => {
			await session.run(ownTables);
			await session.run(`INSERT INTO ${ownSchema}.base VALUES ($1)`, [digestOf(contents.base)]);
		});
	}

	async #applyChanges(session: Session, contents: Contents): Promise<void> {
		const { position } = await standingIn(session);
		await rearm(session);
		const todo = contents.changes.slice(Math.max(0, position - 1));
		const tables = new Set<string>();
		for await (const { record } of this.#records(todo, contents, true))
			if (record[0] === "table") tables.add((await known(session, record)).name);
		await disarm(session, [...tables]);
		try {
			await new Application(session).apply(this.#records(todo, contents));
		} catch (error) {
			// 23503, 23001: a foreign key does not hold when rows come one by one in place of whole statements.
			if (!["23503", "23001"].includes(sqlState(error) ?? "")) throw error;
			await unbind(session, [...tables]);
			await new Application(session).apply(this.#records(todo, contents));
		}
		await rearm(session);
	}

	async *#records(entries: readonly Entry[], contents: Contents, onlyTables = false): AsyncGenerator<Placed> {
		const shelf = await this.#opened(this.#closed.signal);
		for (const entry of entries) {
			let line = 0;
			for await (const text of shelf.lines(entry, this.#closed.signal)) {
				line++;
				if (onlyTables && !text.startsWith('["table"')) continue;
				yield { entry: contents.changes.indexOf(entry) + 1, line, record: parseRecord(text, entry.path) };
			}
		}
	}

	async *#lookedAt(contents: Contents): AsyncGenerator<ChangeRecord> {
		for await (const { record } of this.#records(lookedAt(contents.changes), contents)) yield record;
	}

	async *#lines(entry: Entry): AsyncGenerator<readonly unknown[]> {
		const shelf = await this.#opened(this.#closed.signal);
		for await (const line of shelf.lines(entry, this.#closed.signal)) yield parsed(line, entry.path);
	}

	async #large(session: Session, listing: Listing, signal: AbortSignal): Promise<void> {
		const shelf = await this.#opened(signal);
		for await (const entries of largeIn(listing))
			for (const entry of await lackingLarge(session, entries))
				await putLarge(session, entry, shelf.path(entry), signal);
		await dropLarge(session, oidsIn(listing));
	}

	/** What later rounds may draw on stays. */
	async #tidy(listing: Listing, contents: Contents): Promise<void> {
		const shelf = await this.#opened(this.#closed.signal);
		const files = new Set([contents.base, ...contents.changes, contents.sequences].map(shelfName));
		for (const entry of [contents.tables, contents.checks]) if (entry) files.add(shelfName(entry));
		for await (const entries of largeIn(listing)) for (const entry of entries) files.add(shelfName(entry));
		await shelf.keepOnly(files);
	}

	async #copyElsewhere(place: PostgresPlace, signal: AbortSignal): Promise<void> {
		const about = await inSession(
			this.#place,
			signal,
			(session) =>
				session.row<{ collate: string; ctype: string }>(
					"SELECT datcollate AS collate, datctype AS ctype FROM pg_database WHERE datname = current_database()",
				),
			{ database: this.#beside },
		);
		await makeDatabase(place, place.database, about, signal);
		const pipe = new PassThrough();
		const both = { scratch: this.#scratch, signal };
		await Promise.all([
			runProgram("pg_dump", ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"], {
				...both,
				place: this.#place,
				database: this.#beside,
				output: pipe,
			}),
			runProgram("pg_restore", ["--format=custom", "--exit-on-error", "--no-owner", "--no-privileges"], {
				...both,
				place,
				input: pipe,
			}),
		]);
	}

	async #clear(): Promise<void> {
		await (await this.#shelf?.catch(() => null))?.close();
		this.#shelf = null;
		this.#asked.clear();
		await rm(this.#scratch, { recursive: true, force: true });
	}
}

async function standingIn(session: Session): Promise<Standing> {
	const row = await session.row<{ base: string | null; settled: string | null; position: string }>(`
		SELECT (SELECT digest FROM ${ownSchema}.base) AS base, (SELECT digest FROM ${ownSchema}.settled) AS settled,
			(SELECT entry FROM ${ownSchema}.position) AS position`);
	return { ...row, position: Number(row.position) };
}

async function* oidsIn(listing: Listing): AsyncGenerator<readonly string[]> {
	for await (const entries of largeIn(listing)) yield entries.map(({ path }) => largeOid(path) ?? "0");
}

const clearOurs = (session: Session) => session.run(`DROP SCHEMA IF EXISTS ${ownSchema} CASCADE`);

/** 15 of “15.18 (Debian 15.18-0)”; 0 where nothing is said. */
function majorOf(version = ""): number {
	return Number(/^\d{1,4}/.exec(version)?.[0] ?? 0);
}
