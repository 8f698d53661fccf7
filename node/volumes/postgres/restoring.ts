import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import { hashOf } from "../piece.ts";
import type { Entry } from "../volume.ts";
import { readArchive } from "./archive.ts";
import { makeDatabase } from "./beside.ts";
import type { PostgresPlace } from "./connection.ts";
import { piecesIn } from "./pieces.ts";
import { ProgramFailed, runProgram } from "./programs.ts";
import { judged } from "./statements.ts";

export interface Restorable {
	/** The dump, and the file that its pieces are put into. */
	readonly base: Entry;
	readonly file: string;
	readonly place: PostgresPlace;
	/** The database that is made of it, whatever it was before. */
	readonly database: string;
	readonly scratch: string;
}

/** Shorter dumps are restored when all of them is here; pieces. */
const leastPieces = 16;

/**
 * Restores a dump: tables and rows already while it comes, in the order it comes in, indexes and everything else by `finish`.
 * Each piece is read back and checked before a byte of it is used. What fails on the way is no failure yet: then all is done
 * by `finish`, from the start.
 */
export class Restoring {
	readonly #what: Restorable;
	readonly #stopping = new AbortController();
	#news = Promise.withResolvers<void>();
	#isAllHere = false;
	/** Whether tables and rows are there. */
	#ahead: Promise<boolean> | undefined;

	constructor(what: Restorable) {
		this.#what = what;
	}

	/** Whether the database may be made anew already. */
	get isUnderWay(): boolean {
		return this.#ahead !== undefined;
	}

	/** More of the dump may be here. */
	more(): void {
		if (this.#what.base.pieces.length >= leastPieces)
			this.#ahead ??= this.#restoredAhead().then(
				() => true,
				() => false,
			);
		this.#news.resolve();
		this.#news = Promise.withResolvers();
	}

	/** All of the dump is here: afterwards all of it is restored. Throws `volume-unfit` for what is not to be restored. */
	async finish(signal: AbortSignal): Promise<void> {
		const stop = () => this.#stopping.abort(signal.reason);
		signal.addEventListener("abort", stop, { once: true });
		try {
			this.#isAllHere = true;
			this.#news.resolve();
			const { file } = this.#what;
			if (await this.#ahead) return await this.#run(["--section=post-data", jobs(), file], signal);
			signal.throwIfAborted();
			await this.#begin(judged(await readArchive(file)), signal);
			await this.#run([jobs(), file], signal);
		} catch (error) {
			if (!(error instanceof ProgramFailed)) throw error;
			throw new Problem("volume-unfit", { path: "base", reason: error.message.slice(0, 300) });
		} finally {
			signal.removeEventListener("abort", stop);
		}
	}

	/** Ends what goes on; the database stays as it is then. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		this.#news.resolve();
		await this.#ahead;
	}

	async #restoredAhead(): Promise<void> {
		const { signal } = this.#stopping;
		await this.#begin(await this.#announced(), signal);
		await this.#run(["--section=pre-data", "--section=data"], signal, this.#pieces());
	}

	/** What is to be restored, as soon as what is here tells it. */
	async #announced(): Promise<readonly number[]> {
		let [bytes, enough] = [0, 1];
		for await (const piece of this.#pieces()) {
			bytes += piece.length;
			if (bytes < enough) continue;
			enough = bytes * 4;
			const entries = await readArchive(this.#what.file, bytes).catch(() => undefined);
			if (entries) return judged(entries);
		}
		throw new Error("Nothing can be told of this dump before all of it is here");
	}

	/** The dump's pieces, each as soon as it is here; ends before one that is not, once no more are to come. */
	async *#pieces(): AsyncGenerator<Uint8Array> {
		const { base, file } = this.#what;
		const { signal } = this.#stopping;
		for (let next = 0; next < base.pieces.length; ) {
			const [news, isLast] = [this.#news.promise, this.#isAllHere];
			const before = next;
			for await (const bytes of piecesIn(file, signal, next)) {
				if (hashOf(bytes) !== base.pieces[next]) break;
				next++;
				yield bytes;
			}
			if (next > before) continue;
			if (isLast) return;
			await news;
		}
	}

	async #begin(ids: readonly number[], signal: AbortSignal): Promise<void> {
		const { base, place, database } = this.#what;
		const { collate, ctype } = base.meta ?? {};
		await makeDatabase(place, database, { collate, ctype }, signal);
		await writeFile(this.#list, ids.map((id) => `${id};\n`).join(""), { mode: 0o600 });
	}

	#run(args: readonly string[], signal: AbortSignal, feed?: AsyncIterable<Uint8Array>): Promise<void> {
		const { place, database, scratch } = this.#what;
		const settings = { synchronous_commit: "off", maintenance_work_mem: "128MB" };
		return runProgram(
			"pg_restore",
			[
				...["--format=custom", "--exit-on-error", "--no-owner", "--no-privileges", "--no-tablespaces"],
				...["--no-publications", "--no-subscriptions", "--no-security-labels", `--use-list=${this.#list}`],
				...args,
			],
			{ place, database, scratch, signal, settings, ...(feed && { feed }) },
		);
	}

	get #list(): string {
		return join(this.#what.scratch, "restored");
	}
}

const jobs = () => `--jobs=${Math.max(1, Math.min(4, availableParallelism()))}`;
