import { setTimeout as pause } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { StreamRefused } from "./arrival.ts";

const log = getLogger(["fediversity", "transfer"]);

/** Waits this long before the first new attempt, and twice as long each time, up to the longest. Milliseconds. */
const shortest = 500;
const longest = 30_000;
/** So many refused answers one after the other are no accident. */
const mostRefused = 6;

export type Wait = (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
export const realWait: Wait = (milliseconds, signal) => pause(milliseconds, undefined, { signal });

/** How often and how long the other node is asked again: for ever while it cannot be reached, not for ever when it lies. */
export class Patience {
	readonly #signal: AbortSignal;
	readonly #wait: Wait;
	#failures = 0;
	#refused = 0;

	constructor(signal: AbortSignal, wait: Wait) {
		this.#signal = signal;
		this.#wait = wait;
	}

	/** Something was achieved: the next failure counts as the first. */
	restart(): void {
		this.#failures = 0;
		this.#refused = 0;
	}

	/** Waits until the next attempt, or throws if there shall be none. */
	async after(error: unknown): Promise<void> {
		this.#signal.throwIfAborted();
		if (isFinal(error)) throw error;
		if (error instanceof StreamRefused && ++this.#refused >= mostRefused)
			throw new Problem("copy-refused", { reason: error.message }, { cause: error });
		log.info("The other node is asked again: {error}", { error });
		const most = Math.min(longest, shortest * 2 ** this.#failures++);
		await this.#wait(most * (0.5 + Math.random() / 2), this.#signal);
		this.#signal.throwIfAborted();
	}
}

/** What the other node refuses, it will refuse again; anything else may be the weather. */
function isFinal(error: unknown): boolean {
	return error instanceof Problem && error.status < 500 && ![408, 425, 429].includes(error.status);
}
