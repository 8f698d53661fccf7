import { randomUUID } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import { type Database, isDuplicate } from "../store/database.ts";
import { page } from "../store/page.ts";
import {
	hasNotEnded,
	headNow,
	headOf,
	type Job,
	type JobHead,
	type JobView,
	type Kinds,
	type StepView,
	stepViewOf,
	stepViewsOf,
	type Told,
} from "./job.ts";
import { JobLog, type LogLine } from "./job-log.ts";
import type { Entry } from "./journal.ts";
import { columns, hearLoosely, Ledger, tables } from "./ledger.ts";
import { Story } from "./story.ts";

/** Something that happened to a job; `seq` is what a reader says to get only what comes after it. */
export type JobChange =
	| { readonly seq: number; readonly event: "step"; readonly data: StepView }
	| { readonly seq: number; readonly event: "job"; readonly data: JobHead };

export interface JobsAsk {
	/** Null: everybody's. */
	readonly customer: string | null;
	readonly deployment?: string | undefined;
	readonly after?: string | undefined;
	readonly limit: number;
}

/**
 * All jobs, as people see and steer them; a `Worker` does the work.
 * Wherever a `customer` is asked for, somebody else's job is as good as none (`not-found`); null may see all.
 */
export class Jobs {
	readonly ledger: Ledger;
	readonly logs: JobLog;
	readonly #db: Database;
	#closed = false;

	constructor(db: Database, kinds: Kinds, now: () => number = Date.now) {
		this.#db = db;
		this.ledger = new Ledger(db, kinds, now);
		this.logs = new JobLog(db, now);
	}

	/**
	 * Writes down a job, and gives its id; the work begins when the transaction around it is over.
	 * Throws `deployment-busy` while another job of the deployment has not ended.
	 */
	start(kind: string, input: object, about: { deployment?: string; customer?: string } = {}): string {
		const known = this.ledger.kinds[kind];
		if (!known) throw new Error(`There is no work of the kind ${kind}`);
		new Story(known.saga.steps(input), input);
		const id = randomUUID();
		try {
			this.#db.run(
				`INSERT INTO job (id, kind, deployment, customer, input, state, created_at)
					VALUES (:id, :kind, :deployment, :customer, :input, 'waiting', :at)`,
				{
					id,
					kind,
					deployment: about.deployment ?? null,
					customer: about.customer ?? null,
					input: JSON.stringify(input),
					at: this.ledger.now(),
				},
			);
		} catch (error) {
			throw isDuplicate(error) ? new Problem("deployment-busy") : error;
		}
		this.ledger.bell.ring(id);
		return id;
	}

	head(id: string, customer: string | null): JobHead {
		const job = this.#job(id, customer);
		return headNow(this.ledger.told(job));
	}

	/** `seq` is the last entry of the journal that it includes: follow `events` from there. */
	view(id: string, customer: string | null): JobView {
		const job = this.#job(id, customer);
		const told = this.ledger.told(job);
		return { ...headNow(told), seq: told.story.seq, steps: stepViewsOf(told) };
	}

	/** Newest first. */
	list({ customer, deployment, ...ask }: JobsAsk): Page<JobHead> {
		const sql = `SELECT ${columns} FROM ${tables}
			WHERE (job.created_at, job.id) < (:at, :id)
				${customer === null ? "" : "AND job.customer = :customer"} ${deployment === undefined ? "" : "AND job.deployment = :deployment"}
			ORDER BY job.created_at DESC, job.id DESC LIMIT :most`;
		return page(
			ask,
			(bounds) => this.#db.all<Job>(sql, { ...bounds, customer, deployment: deployment ?? null }),
			(job) => headNow(hasNotEnded(job.state) ? this.ledger.told(job) : this.ledger.untold(job)),
		);
	}

	/** The job at work on a deployment, or the last one. */
	ofDeployment(deployment: string): { id: string; busy: boolean } | undefined {
		const job = this.#db.get<Pick<Job, "id" | "state">>(
			"SELECT id, state FROM job WHERE deployment = :deployment ORDER BY state IN ('done', 'undone'), rowid DESC LIMIT 1",
			{ deployment },
		);
		return job && { id: job.id, busy: hasNotEnded(job.state) };
	}

	/**
	 * Turns a job back. It is `cancelling` until everything is undone; asking again changes nothing.
	 * Throws `job-not-cancellable` when it has ended, turned back by itself, or passed the point of no return.
	 */
	cancel(id: string, customer: string | null): JobHead {
		return this.#db.transaction(() => {
			const told = this.#free(id, customer);
			if (told.story.state === "cancelling") return headOf(told);
			if (!hasNotEnded(told.job.state) || !told.story.canCancel) throw new Problem("job-not-cancellable");
			this.ledger.write(told, { step: null, event: { type: "cancel-requested" } });
			return headOf(told);
		});
	}

	/**
	 * A stuck job goes on where it was, in the direction it had. Anything else throws `job-not-retryable`:
	 * what was undone has left nothing behind, so whoever asked for it starts a new job.
	 */
	retry(id: string, customer: string | null): JobHead {
		return this.#db.transaction(() => {
			const told = this.#free(id, customer);
			if (told.job.state !== "stuck") throw new Problem("job-not-retryable");
			this.ledger.write(told, { step: null, event: { type: "retry-requested" } });
			return headOf(told);
		});
	}

	/** The raw log after a line, at most 1000 lines. */
	log(id: string, after: number, customer: string | null): LogLine[] {
		return this.logs.read(this.#job(id, customer).id, after);
	}

	/**
	 * Everything that happened to the job after `since`, then whatever happens, until it has ended for good or the
	 * signal is aborted. Nothing is left out, but some may be told twice after a reader comes back.
	 */
	events(id: string, since: number, signal: AbortSignal, customer: string | null): AsyncIterable<JobChange> {
		return this.#follow(this.#job(id, customer), since, signal);
	}

	/** Ends everybody's events and writes the last lines of the logs. */
	close() {
		this.#closed = true;
		this.ledger.bell.close();
		this.logs.flush();
	}

	async *#follow(job: Job, since: number, signal: AbortSignal): AsyncGenerator<JobChange> {
		const { journal, bell } = this.ledger;
		const told = this.ledger.untold(job);
		// A number from another life of this node (its database was replaced) says nothing.
		const seen = since > journal.last(job.id) ? 0 : since;
		const watch = bell.watch(job.id, signal);
		try {
			for (let head = headOf(told); !signal.aborted && !this.#closed; await watch.rung()) {
				const now = { ...told, job: this.ledger.job(job.id) ?? job };
				for (const entry of journal.read(job.id, told.story.seq)) {
					hearLoosely(told.story, entry);
					const before = head;
					head = headOf(now);
					if (entry.seq > seen) yield* changes(now, entry, isSame(before, head) ? null : head);
				}
				if (!isSame(head, headOf(now)) && told.story.seq >= seen) {
					head = headOf(now);
					yield { seq: told.story.seq, event: "job", data: head };
				}
				if (told.story.outcome || !hasNotEnded(now.job.state)) return;
			}
		} finally {
			watch.close();
		}
	}

	#job(id: string, customer: string | null): Job {
		const job = this.ledger.job(id);
		if (!job || (customer !== null && job.customer !== customer)) throw new Problem("not-found");
		return job;
	}

	/** A job that one may steer: no step of it is at work although it should have stopped. */
	#free(id: string, customer: string | null): Told {
		const job = this.#job(id, customer);
		if (job.state === "stuck" && job.lease_owner !== null) throw new Problem("job-hangs");
		return this.ledger.told(job);
	}
}

/** Where one entry gives two changes, the first has the number before: a reader who is cut off between gets both again. */
function* changes(told: Told, entry: Entry, head: JobHead | null): Generator<JobChange> {
	if (entry.step !== null && told.story.steps.has(entry.step)) {
		yield { seq: head ? entry.seq - 1 : entry.seq, event: "step", data: stepViewOf(told, entry.step) };
	}
	if (head) yield { seq: entry.seq, event: "job", data: head };
}

function isSame(one: JobHead, other: JobHead): boolean {
	return Object.entries(one).every(([name, value]) => value === other[name as keyof JobHead]);
}
