import { setTimeout as wait } from "node:timers/promises";

/** Milliseconds between one try and the next, 25 s altogether. */
const pauses = [100, 200, 400, 800, 1600, 3200, 6400, 12_800];
/** A server that asks to be left alone for longer is asked again after this. */
const longest = 30_000;

/** How long to go on with somebody who does not answer well right now. */
export class Patience {
	readonly #signal: AbortSignal;
	#tries = 0;

	constructor(signal: AbortSignal) {
		this.#signal = signal;
	}

	/** Something has come of it since: begins anew. */
	renew(): void {
		this.#tries = 0;
	}

	/** Waits before the next try, each time longer and never quite as long as others do; false: it is at an end. */
	async wait(asked = 0): Promise<boolean> {
		const pause = pauses[this.#tries++];
		if (pause === undefined) return false;
		const time = Math.max(pause * (0.5 + Math.random() / 2), Math.min(asked, longest));
		await wait(time, undefined, { signal: this.#signal });
		return true;
	}
}
