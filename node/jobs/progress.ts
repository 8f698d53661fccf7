import type { StepEvent } from "./saga.ts";

const longestNote = 200;

/** Thins what a step says of its progress: the first word at once, then the latest at most every so often. */
export class Progress {
	readonly #every: number;
	readonly #write: (event: StepEvent) => unknown;
	#latest: StepEvent | null = null;
	#written = "";
	#timer: NodeJS.Timeout | undefined;
	#closed = false;

	/** What `write` throws is dropped: progress that cannot be told fails no work, and the next entry meets the same trouble. */
	constructor(every: number, write: (event: StepEvent) => unknown) {
		this.#every = every;
		this.#write = write;
	}

	say(fraction: number | null, note?: string) {
		if (this.#closed) return;
		const told = fraction === null || Number.isNaN(fraction) ? null : Math.min(1, Math.max(0, fraction));
		this.#latest = { type: "progress", fraction: told, note: note?.slice(0, longestNote) ?? null };
		if (!this.#timer) this.#flush();
	}

	/** The last word is written down; what comes later, also from a step that hangs, is not any more. */
	close() {
		if (this.#closed) return;
		this.#closed = true;
		clearTimeout(this.#timer);
		this.#flush();
		clearTimeout(this.#timer);
	}

	#flush() {
		this.#timer = undefined;
		const text = JSON.stringify(this.#latest);
		if (!this.#latest || text === this.#written) return;
		this.#written = text;
		this.#timer = setTimeout(() => this.#flush(), this.#every);
		try {
			this.#write(this.#latest);
		} catch {}
	}
}
