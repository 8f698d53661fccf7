import type { Database } from "../store/database.ts";
import type { JobEvent, StepEvent } from "./saga.ts";

export type Happening =
	| { readonly step: string; readonly event: StepEvent }
	| { readonly step: null; readonly event: JobEvent };

/** One line of a job's journal. `seq` grows, and is never given twice, over all jobs together; `at` is in ms. */
export type Entry = { readonly seq: number; readonly at: number } & Happening;

/** Where everything that happens to jobs is written down; lines are added, never changed. */
export interface Journal {
	/** The entries of one job after `after`, oldest first. */
	read(job: string, after?: number): Entry[];
	/**
	 * Writes one entry and gives it back as it will be read; returns only when it is safe on disk.
	 * `seen` is the last entry of this job that the writer knows: throws `Behind` if there is a later one,
	 * so nobody writes without knowing, for example, that the job was cancelled.
	 */
	append(job: string, seen: number, happening: Happening): Entry;
}

/** The writer has not read the whole journal; read on, decide anew. */
export class Behind extends Error {
	override readonly name = "Behind";
}

type Row = { seq: number; at: number; step: string | null; event: string };

/** The journal in the node's SQLite file. */
export class SqliteJournal implements Journal {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number = Date.now) {
		this.#db = db;
		this.#now = now;
	}

	read(job: string, after = 0): Entry[] {
		const sql = "SELECT seq, at, step, event FROM journal WHERE job = :job AND seq > :after ORDER BY seq";
		return this.#db.all<Row>(sql, { job, after }).map((row) => ({ ...row, event: JSON.parse(row.event) }) as Entry);
	}

	/** The last entry of a job; 0: there is none yet. */
	last(job: string): number {
		const sql = "SELECT coalesce(max(seq), 0) AS seq FROM journal WHERE job = :job";
		return this.#db.get<{ seq: number }>(sql, { job })?.seq ?? 0;
	}

	append(job: string, seen: number, { step, event }: Happening): Entry {
		return this.#db.transaction(() => {
			const last = this.last(job);
			if (last !== seen) throw new Behind(`Job ${job} is at ${last}, its writer at ${seen}`);
			const at = this.#now();
			const text = JSON.stringify(event);
			const { id: seq } = this.#db.run("INSERT INTO journal (job, at, step, event) VALUES (:job, :at, :step, :text)", {
				job,
				at,
				step,
				text,
			});
			return { seq, at, step, event: JSON.parse(text) } as Entry;
		});
	}
}
