import type { Job, Told } from "./job.ts";
import type { Entry, Happening, Journal } from "./journal.ts";
import { LeaseLost, type Leases } from "./leases.ts";
import type { Ledger, OnEnd } from "./ledger.ts";
import type { FailureView } from "./saga.ts";

/** The journal of one job as the holder of its lease writes it; without the lease it throws LeaseLost. */
export class Pen implements Journal {
	readonly #ledger: Ledger;
	readonly #leases: Leases;
	readonly #onEnd: OnEnd | undefined;
	#told: Told | null = null;

	constructor(ledger: Ledger, leases: Leases, onEnd: OnEnd | undefined) {
		this.#ledger = ledger;
		this.#leases = leases;
		this.#onEnd = onEnd;
	}

	read(job: string, after?: number): Entry[] {
		return this.#ledger.journal.read(job, after);
	}

	append(job: string, seen: number, happening: Happening): Entry {
		try {
			return this.#leased(job, () => {
				const told = this.#caughtUp(job, seen);
				const entry = this.#ledger.write(told, happening, this.#onEnd);
				if (!told.story.move() && !saysThatItHangs(happening)) this.#leases.release(job);
				return entry;
			});
		} catch (error) {
			// What was heard in a transaction that is taken back did not happen.
			this.#told = null;
			throw error;
		}
	}

	/** For a job that nobody can go on with, even if its journal makes no sense. */
	stick(id: string, problem: FailureView) {
		this.#leased(id, () => {
			const told = this.#ledger.told(this.#job(id));
			if (told.story.move()) this.#ledger.write(told, { step: null, event: { type: "stuck", problem } }, this.#onEnd);
			this.#leases.release(id);
		});
	}

	#leased<Result>(job: string, write: () => Result): Result {
		return this.#ledger.db.transaction(() => {
			if (!this.#leases.holds(job)) throw new LeaseLost(`The lease of job ${job} is lost`);
			return write();
		});
	}

	/** As far as the writer has read; the journal itself refuses if that is not all. */
	#caughtUp(id: string, seen: number): Told {
		const job = this.#job(id);
		const told = this.#told ?? this.#ledger.untold(job);
		for (const entry of this.read(id, told.story.seq)) if (entry.seq <= seen) told.story.hear(entry);
		this.#told = { ...told, job };
		return this.#told;
	}

	#job(id: string): Job {
		const job = this.#ledger.job(id);
		if (!job) throw new LeaseLost(`Job ${id} is gone`);
		return job;
	}
}

/** Then the job is held until the step has ended: nobody may touch it before. */
function saysThatItHangs({ event }: Happening): boolean {
	return event.type === "stuck" && event.problem.code === "job-hangs";
}
