import type { Told } from "./job.ts";
import type { Entry, Happening, Journal } from "./journal.ts";
import { LeaseLost, type Leases } from "./leases.ts";
import type { Ledger, OnEnd } from "./ledger.ts";

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
			return this.#ledger.db.transaction(() => {
				if (!this.#leases.holds(job)) throw new LeaseLost(`The lease of job ${job} is lost`);
				const told = this.#caughtUp(job, seen);
				return this.#ledger.write(told, happening, this.#onEnd);
			});
		} catch (error) {
			// What was heard in a transaction that is taken back did not happen.
			this.#told = null;
			throw error;
		}
	}

	/** As far as the writer has read; the journal itself refuses if that is not all. */
	#caughtUp(id: string, seen: number): Told {
		const job = this.#ledger.job(id);
		if (!job) throw new LeaseLost(`Job ${id} is gone`);
		const told = this.#told ?? this.#ledger.untold(job);
		for (const entry of this.read(id, told.story.seq)) if (entry.seq <= seen) told.story.hear(entry);
		this.#told = { ...told, job };
		return this.#told;
	}
}
