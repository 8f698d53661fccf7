import { Behind, type Entry, type Happening, type Journal } from "./journal.ts";

/** A journal that forgets when the process ends; it can pull the plug on purpose. */
export class MemoryJournal implements Journal {
	readonly entries: (Entry & { readonly job: string })[] = [];
	readonly #now: () => number;
	#appendsLeft = Number.POSITIVE_INFINITY;

	constructor(now: () => number = Date.now) {
		this.#now = now;
	}

	/** The append after this many dies, as if the power went. */
	cutPowerAfter(appends: number) {
		this.#appendsLeft = appends;
	}

	read(job: string, after = 0): Entry[] {
		return this.entries
			.filter((entry) => entry.job === job && entry.seq > after)
			.map(({ job: _, ...entry }) => structuredClone(entry) as Entry);
	}

	append(job: string, seen: number, { step, event }: Happening): Entry {
		const last = this.entries.findLast((entry) => entry.job === job)?.seq ?? 0;
		if (last !== seen) throw new Behind(`Job ${job} is at ${last}, its writer at ${seen}`);
		if (this.#appendsLeft-- <= 0) throw new PowerCut();
		const text = JSON.stringify(event);
		const entry = { seq: this.entries.length + 1, at: this.#now(), step } as const;
		this.entries.push({ ...entry, job, event: JSON.parse(text) } as Entry & { job: string });
		return { ...entry, event: JSON.parse(text) } as Entry;
	}
}

export class PowerCut extends Error {
	override readonly name = "PowerCut";
}
