import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { type Entry, type Piece, type PieceName, pieceSize, type Source, type VolumeOptions } from "../volume.ts";
import { applySettings } from "./applying.ts";
import { clearDate } from "./archive.ts";
import { ChangeFiles } from "./change-files.ts";
import { sumOf } from "./checks.ts";
import { inSession, name, openSession, type PostgresPlace, type Session, sqlState } from "./connection.ts";
import { lookedAt } from "./contents.ts";
import { LargeNames, largeEntries, largeOid, largePiece } from "./large.ts";
import * as live from "./live.ts";
import { keep, lengthOf, linesIn, piecesOf } from "./pieces.ts";
import { runProgram } from "./programs.ts";
import { type ChangeRecord, parseRecord } from "./records.ts";
import { fingerprintOf, sequencesOf, tablesOf } from "./schema.ts";
import { checksFor } from "./touched.ts";

const log = getLogger(["fediversity", "volumes"]);

/** An entry, and the file of the scratch folder that its content is in. */
interface Kept {
	readonly entry: Entry;
	readonly file: string;
}

/** What is remembered between rounds. */
interface Memory {
	/** Names the base; everything else belongs to it. */
	readonly generation: string;
	/** Whether changes are followed; otherwise each round has a base of its own. */
	readonly live: boolean;
	readonly fingerprint: string;
	readonly base: readonly Kept[];
	readonly changes: readonly Kept[];
	/** Where in the log the last change that we hold was committed. */
	readonly position: string;
}

/** Pieces that are read at once. */
const atOnce = 8;

/** Seconds that the beginning may wait for transactions under way to end, before it does without following changes. */
const patience = 60;

/** See `openPostgresSource`. */
export class PostgresSource implements Source {
	readonly #place: PostgresPlace;
	readonly #scratch: string;
	readonly #slot: string;
	readonly #closed = new AbortController();
	#files = new Map<string, Kept>();

	constructor(place: PostgresPlace, options: VolumeOptions) {
		this.#place = place;
		this.#scratch = options.scratch;
		// The same for whoever comes later to the same folder, even if what was in it is lost.
		const digest = createHash("sha256").update(`${options.scratch}\0${place.database}`).digest("hex");
		this.#slot = `fediversity_${digest.slice(0, 24)}`;
	}

	async *list(options: { frozen: boolean; signal: AbortSignal; fixed?(): void }): AsyncGenerator<readonly Entry[]> {
		const signal = AbortSignal.any([options.signal, this.#closed.signal]);
		await mkdir(this.#scratch, { recursive: true, mode: 0o700 });
		const memory = (await this.#followed(signal)) ?? (await this.#begun(signal, options.fixed));
		options.fixed?.();
		const sequences = await inSession(this.#place, signal, (session) => this.#sequences(session));
		const checks = options.frozen ? await this.#checks(memory, signal) : [];
		const kept = [...memory.base, ...memory.changes, sequences, ...checks];
		this.#files = new Map(kept.map((one) => [one.entry.path, one]));
		for (const { entry } of kept) yield [entry];
		yield* this.#large(signal);
	}

	async *read(wanted: readonly PieceName[], outer: AbortSignal): AsyncGenerator<readonly Piece[]> {
		const signal = AbortSignal.any([outer, this.#closed.signal]);
		if (this.#files.size === 0) await this.#recall();
		// Two that take turns, since a batch must stay as it is while the next one is read.
		let [room, other] = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(atOnce, wanted.length) * pieceSize));
		for (let from = 0; from < wanted.length; from += atOnce) {
			const some = wanted.slice(from, from + atOnce);
			const pieces = await this.#readSome(some, room as Buffer, signal);
			if (pieces.length > 0) yield pieces;
			[room, other] = [other, room];
		}
	}

	async close(): Promise<void> {
		this.#closed.abort();
	}

	async forget(): Promise<void> {
		const signal = AbortSignal.timeout(120_000);
		try {
			await live.unpublish(this.#place, this.#slot, signal);
		} catch (error) {
			// 3D000: the database is no more, and with it all that was in it.
			if (sqlState(error) !== "3D000") throw error;
		}
		await rm(this.#scratch, { recursive: true, force: true });
	}

	/** Adds what has changed since the last round; undefined: that cannot be said, so begin anew. */
	async #followed(signal: AbortSignal): Promise<Memory | undefined> {
		const memory = await this.#remembered();
		if (!memory?.live) return undefined;
		return inSession(this.#place, signal, async (session) => {
			if (!(await live.isWhole(session, this.#slot))) return undefined;
			const upTo = await live.present(session);
			const files = new ChangeFiles(this.#scratch, memory.changes.length + 1, memory.position);
			for await (const batch of live.changes(session, this.#slot, upTo)) files.add(batch);
			const { files: written, last } = files.close();
			if ((await fingerprintOf(session)) !== memory.fingerprint) {
				log.info("The schema of {database} has changed: it is dumped again", { database: this.#place.database });
				return undefined;
			}
			const changes = [...memory.changes];
			for (const file of written) changes.push(await this.#kept(`changes/${file.slice(8)}`, file, signal));
			const next: Memory = { ...memory, changes, position: last ?? memory.position };
			await this.#remember(next);
			await live.advance(session, this.#slot, upTo);
			return next;
		});
	}

	/** A new base, with the changes after it followed if that can be. */
	async #begun(signal: AbortSignal, fixed?: () => void): Promise<Memory> {
		// What is remembered ends here, since the slot and the dump that belong to it are made anew.
		await rm(join(this.#scratch, "memory.json"), { force: true });
		const why = await inSession(this.#place, signal, live.obstacle);
		if (why !== undefined) return this.#dumped(why, signal);
		try {
			return await this.#beganLive(signal, fixed);
		} catch (error) {
			// 57014: waited too long, 55P03: a lock was not to be had, 53400: no slot is left.
			const state = sqlState(error) ?? "";
			if (signal.aborted || !["57014", "55P03", "53400"].includes(state)) throw error;
			log.warn("Changes of {database} cannot be followed now: {error}", { database: this.#place.database, error });
			return this.#dumped("others kept the database busy", signal);
		}
	}

	async #beganLive(signal: AbortSignal, fixed?: () => void): Promise<Memory> {
		const fingerprint = await inSession(this.#place, signal, async (session) => {
			await live.publish(session, this.#slot);
			return fingerprintOf(session);
		});
		return live.openSlot(this.#place, this.#slot, patience, signal, async (snapshot, position) => {
			fixed?.();
			const generation = randomUUID();
			const [base, tables] = await bothOf(
				this.#dump({ generation, mode: "live", position }, ["--snapshot", snapshot], signal),
				inSession(this.#place, signal, (session) => this.#tables(session, snapshot, signal)),
			);
			return this.#remember({ generation, live: true, fingerprint, base: [base, tables], changes: [], position });
		});
	}

	/** A whole dump, to be made again in the next round. */
	async #dumped(reason: string, signal: AbortSignal): Promise<Memory> {
		await live.unpublish(this.#place, this.#slot, signal);
		const generation = randomUUID();
		const base = await this.#dump({ mode: "dump", reason }, [], signal);
		return this.#remember({ generation, live: false, fingerprint: "", base: [base], changes: [], position: "0/0" });
	}

	async #dump(meta: Record<string, string>, args: readonly string[], signal: AbortSignal): Promise<Kept> {
		const file = join(this.#scratch, "base");
		const about = await inSession(this.#place, signal, databaseMeta);
		await rm(file, { force: true });
		await runProgram(
			"pg_dump",
			[
				...["--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--no-tablespaces", "--no-blobs"],
				...["--no-publications", "--no-subscriptions", "--no-security-labels", `--file=${file}`, ...args],
			],
			{ place: this.#place, scratch: this.#scratch, signal },
		);
		await clearDate(file);
		return this.#kept("base", "base", signal, { ...about, ...meta });
	}

	/** What the tables hold in the snapshot, for the other side to compare, and what their rows were found by before. */
	async #tables(session: Session, snapshot: string, signal: AbortSignal): Promise<Kept> {
		const before = await live.identitiesBefore(session, this.#slot);
		const lines = await session.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", async () => {
			await session.run(`SET TRANSACTION SNAPSHOT '${snapshot}'`);
			const found: string[] = [];
			for (const { schema, table, identity } of await tablesOf(session)) {
				const { rows, hash } = await sumOf(session, schema, table);
				found.push(JSON.stringify([schema, table, before[name(schema, table)]?.[2] ?? identity, rows, hash]));
			}
			return found;
		});
		await keep(join(this.#scratch, "tables"), lines.map((line) => `${line}\n`).join(""));
		return this.#kept("tables", "tables", signal);
	}

	async #sequences(session: Session): Promise<Kept> {
		const lines = (await sequencesOf(session)).map((line) => `${JSON.stringify(line)}\n`);
		await keep(join(this.#scratch, "sequences"), lines.join(""));
		return this.#kept("sequences", "sequences", this.#closed.signal);
	}

	/** What the rows have become that the last changes were about. */
	async #checks({ changes }: Memory, signal: AbortSignal): Promise<readonly Kept[]> {
		const entries = new Set(lookedAt(changes.map(({ entry }) => entry)));
		const files = changes.filter(({ entry }) => entries.has(entry)).map(({ file }) => join(this.#scratch, file));
		if (files.length === 0) return [];
		const lines = await inSession(this.#place, signal, (session) => checksFor(session, recordsIn(files, signal)), {
			settings: applySettings,
		});
		await keep(join(this.#scratch, "checks"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
		return [await this.#kept("checks", "checks", signal)];
	}

	async *#large(signal: AbortSignal): AsyncGenerator<readonly Entry[]> {
		const session = await openSession(this.#place, signal);
		try {
			yield* largeEntries(session, new LargeNames(join(this.#scratch, "large")));
		} finally {
			await session.end();
		}
	}

	async #kept(path: string, file: string, signal: AbortSignal, meta?: Record<string, string>): Promise<Kept> {
		const { size, pieces } = await piecesOf(join(this.#scratch, file), signal);
		return { file, entry: { path, type: "dump", size, pieces, ...(meta ? { meta } : {}) } };
	}

	async #readSome(wanted: readonly PieceName[], room: Buffer, signal: AbortSignal): Promise<readonly Piece[]> {
		const large = wanted.filter(({ path }) => largeOid(path) !== undefined);
		const byDatabase = new Map<PieceName, Piece | undefined>();
		if (large.length > 0)
			await inSession(this.#place, signal, async (session) => {
				for (const one of large) byDatabase.set(one, await largePiece(session, one));
			});
		const pieces: Piece[] = [];
		for (const [at, one] of wanted.entries()) {
			const part = room.subarray(at * pieceSize, (at + 1) * pieceSize);
			const piece = byDatabase.has(one) ? byDatabase.get(one) : await this.#readPiece(one, part, signal);
			if (piece) pieces.push(piece);
		}
		return pieces;
	}

	async #readPiece(wanted: PieceName, room: Buffer, signal: AbortSignal): Promise<Piece | undefined> {
		signal.throwIfAborted();
		const kept = this.#files.get(wanted.path);
		if (!kept || wanted.index < 0 || wanted.index >= kept.entry.pieces.length) return undefined;
		const handle = await open(join(this.#scratch, kept.file));
		try {
			const bytes = room.subarray(0, lengthOf(kept.entry.size, wanted.index));
			const { bytesRead } = await handle.read(bytes, 0, bytes.length, wanted.index * pieceSize);
			return { ...wanted, bytes: bytes.subarray(0, bytesRead) };
		} finally {
			await handle.close();
		}
	}

	/** After a restart: what was listed before may still be asked for. */
	async #recall(): Promise<void> {
		const memory = await this.#remembered();
		const kept = memory ? [...memory.base, ...memory.changes] : [];
		for (const file of ["sequences", "checks"])
			if (memory && existsSync(join(this.#scratch, file))) kept.push(await this.#kept(file, file, this.#closed.signal));
		this.#files = new Map(kept.map((one) => [one.entry.path, one]));
	}

	async #remembered(): Promise<Memory | undefined> {
		try {
			return JSON.parse(await readFile(join(this.#scratch, "memory.json"), "utf8")) as Memory;
		} catch {
			return undefined;
		}
	}

	async #remember(memory: Memory): Promise<Memory> {
		await keep(join(this.#scratch, "memory.json"), JSON.stringify(memory));
		const wanted = new Set([...memory.base, ...memory.changes].map(({ file }) => file));
		for (const file of await readdir(this.#scratch))
			if (/^changes-/.test(file) && !wanted.has(file)) await rm(join(this.#scratch, file), { force: true });
		return memory;
	}
}

async function* recordsIn(files: readonly string[], signal: AbortSignal): AsyncGenerator<ChangeRecord> {
	for (const file of files) for await (const line of linesIn(file, signal)) yield parseRecord(line, file);
}

/** How the database must be made elsewhere. */
async function databaseMeta(session: Session): Promise<Record<string, string>> {
	const row = await session.row<Record<string, string>>(`
		SELECT current_setting('server_version') AS version, pg_database_size(oid)::text AS bytes,
			pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype
		FROM pg_database WHERE datname = current_database()`);
	return row;
}

/** Waits for both even when one of them fails, so that nothing goes on behind our back. */
async function bothOf<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
	const [a, b] = await Promise.allSettled([first, second]);
	if (a.status === "rejected") throw a.reason;
	if (b.status === "rejected") throw b.reason;
	return [a.value, b.value];
}
