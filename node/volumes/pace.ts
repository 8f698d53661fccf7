/** How long work may hold the event loop before others get their turn, in milliseconds. */
const turn = 5;

/**
 * Lets work that calls the file system synchronously, which takes a fraction of the CPU of promises, share the event loop:
 * `if (pace.isDue) await pace.rest()` at every small step. Resting throws once the signal is aborted.
 */
export class Pace {
	readonly #signal: AbortSignal | undefined;
	#until = performance.now() + turn;
	#steps = 0;

	constructor(signal?: AbortSignal) {
		this.#signal = signal;
	}

	get isDue(): boolean {
		// Asking for the time at every step would cost more than many a step.
		return (++this.#steps & 7) === 0 && performance.now() > this.#until;
	}

	async rest(): Promise<void> {
		this.#signal?.throwIfAborted();
		await new Promise<void>((resolve) => setImmediate(resolve));
		this.#signal?.throwIfAborted();
		this.#until = performance.now() + turn;
	}
}
