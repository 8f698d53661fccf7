import type { Database } from "../store/database.ts";
import { Bell } from "./bell.ts";
import { headOf, type Job, type JobHead, type Kinds, type Steps, type Told } from "./job.ts";
import { type Entry, type Happening, SqliteJournal } from "./journal.ts";
import type { FailureView } from "./saga.ts";
import { IllegalStory, Story } from "./story.ts";

/** Called in the transaction in which a job ends, or gets stuck (a stuck job can still end later). A throw takes it all back. */
export type OnEnd = (
	job: Omit<JobHead, "canCancel" | "canRetry"> & { readonly customer: string | null; readonly input: object },
	outcome: "done" | "undone" | "stuck",
	problem: FailureView | null,
) => void;

export const columns =
	"job.id, kind, job.deployment, job.customer, input, job.state, lease_owner, job.created_at, started_at, ended_at, domain";
export const tables = "job LEFT JOIN deployment ON deployment.id = job.deployment";

/** The jobs' tables: the journal, and the state of each job that follows from it. Both change together or not at all. */
export class Ledger {
	readonly db: Database;
	readonly kinds: Kinds;
	readonly now: () => number;
	readonly journal: SqliteJournal;
	readonly bell: Bell;

	constructor(db: Database, kinds: Kinds, now: () => number) {
		this.db = db;
		this.kinds = kinds;
		this.now = now;
		this.journal = new SqliteJournal(db, now);
		this.bell = new Bell(db);
	}

	job(id: string): Job | undefined {
		return this.db.get<Job>(`SELECT ${columns} FROM ${tables} WHERE job.id = :id`, { id });
	}

	/** A job before its story is read. A kind or steps that the program no longer knows give no steps. */
	untold(job: Job): Told {
		const input = JSON.parse(job.input) as object;
		let steps: Steps = {};
		try {
			steps = this.kinds[job.kind]?.saga.steps(input) ?? {};
		} catch {
			// The worker meets the same error and says what is to be said.
		}
		return { job, steps, story: new Story(steps, input) };
	}

	/** A job with its whole story, for people to read: what does not fit the steps of today is left out. */
	told(job: Job): Told {
		const told = this.untold(job);
		for (const entry of this.journal.read(job.id)) hearLoosely(told.story, entry);
		return told;
	}

	/** Writes what happened, and what follows from it for the job. The story must be up to date, and is afterwards. */
	write(told: Told, happening: Happening, onEnd?: OnEnd): Entry {
		const { job, story } = told;
		return this.db.transaction(() => {
			const before = story.state;
			const entry = this.journal.append(job.id, story.seq, happening);
			story.hear(entry);
			if (story.state !== before) this.#move(told, onEnd);
			this.bell.ring(job.id);
			return entry;
		});
	}

	#move(told: Told, onEnd: OnEnd | undefined) {
		const { job, story } = told;
		const { state, startedAt, endedAt } = story;
		this.db.run("UPDATE job SET state = :state, started_at = :startedAt, ended_at = :endedAt WHERE id = :id", {
			id: job.id,
			state,
			startedAt,
			endedAt,
		});
		if (state !== "done" && state !== "undone" && state !== "stuck") return;
		onEnd?.({ ...headOf(told), customer: job.customer, input: JSON.parse(job.input) as object }, state, story.problem);
	}
}

export function hearLoosely(story: Story, entry: Entry) {
	try {
		story.hear(entry);
	} catch (error) {
		if (!(error instanceof IllegalStory)) throw error;
		story.seq = entry.seq;
	}
}
