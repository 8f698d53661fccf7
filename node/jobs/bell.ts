import type { Database } from "../store/database.ts";

/**
 * Tells those who wait for a job that something happened to it. It may ring for nothing, so listeners look for
 * themselves; it never fails to ring, also when another process has written.
 */
export class Bell {
	readonly #waiting = new Map<string, Set<() => void>>();
	readonly #listeners = new Set<(job: string | null) => void>();
	readonly #db: Database;
	readonly #every: number;
	#timer: NodeJS.Timeout | undefined;
	#version = 0;

	/** `every`: ms between looks at what other processes write. */
	constructor(db: Database, every = 1000) {
		this.#db = db;
		this.#every = every;
	}

	/** Rings once the transaction that is under way is over. */
	ring(job: string) {
		queueMicrotask(() => this.#ringNow(job));
	}

	/** Hears of every job; null: of any. Gives the way to stop. */
	listen(listener: (job: string | null) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** Watches one job. `rung` resolves if it rang since the last call, or when it next does, or the signal is aborted. */
	watch(job: string, signal: AbortSignal) {
		let rang = Promise.withResolvers<void>();
		const ring = () => rang.resolve();
		const waiting = this.#waiting.get(job) ?? new Set();
		this.#waiting.set(job, waiting.add(ring));
		signal.addEventListener("abort", ring);
		this.#watchOthers();
		return {
			rung: async () => {
				if (!signal.aborted) await rang.promise;
				rang = Promise.withResolvers();
			},
			close: () => {
				signal.removeEventListener("abort", ring);
				waiting.delete(ring);
				if (waiting.size === 0) this.#waiting.delete(job);
				if (this.#waiting.size === 0) this.#leaveOthers();
			},
		};
	}

	/** Rings once more for everybody who waits, so that they see that it is over. */
	close() {
		this.#leaveOthers();
		for (const job of [...this.#waiting.keys()]) this.#ringNow(job);
	}

	#leaveOthers() {
		clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#ringNow(job: string) {
		for (const listener of this.#listeners) listener(job);
		for (const ring of this.#waiting.get(job) ?? []) ring();
	}

	#watchOthers() {
		if (this.#timer) return;
		this.#version = this.#versionNow();
		this.#timer = setInterval(() => this.#lookAtOthers(), this.#every).unref();
	}

	#lookAtOthers() {
		const version = this.#versionNow();
		if (version === this.#version) return;
		this.#version = version;
		for (const job of this.#waiting.keys()) this.#ringNow(job);
	}

	/** Changes when another connection has written. */
	#versionNow(): number {
		return this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
	}
}
