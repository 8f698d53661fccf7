interface Waiting {
	readonly rank: number;
	readonly go: () => void;
}

/** A number of places. Who waits for one gets it by rank, the lowest first, and in the order of asking within a rank. */
export class Slots {
	/** Below zero while some go on without having had to wait. */
	#free: number;
	readonly #queue: Waiting[] = [];

	constructor(number: number) {
		this.#free = number;
	}

	/** A place at once, or none. */
	tryTake(): boolean {
		if (this.#free <= 0) return false;
		this.#free--;
		return true;
	}

	/** Waits for a place. Who is told by the signal to stop gets one at once, beyond their number, to end what it does. */
	async take(rank = 0, signal?: AbortSignal): Promise<void> {
		if (this.tryTake()) return;
		if (signal?.aborted) return void this.#free--;
		const { promise, resolve: go } = Promise.withResolvers<void>();
		const waiting: { rank: number; go: () => void } = { rank, go };
		const before = this.#queue.findIndex((other) => other.rank > rank);
		this.#queue.splice(before < 0 ? this.#queue.length : before, 0, waiting);
		const hurry = () => {
			this.#queue.splice(this.#queue.indexOf(waiting), 1);
			this.#free--;
			go();
		};
		signal?.addEventListener("abort", hurry);
		waiting.go = () => {
			signal?.removeEventListener("abort", hurry);
			go();
		};
		await promise;
	}

	give() {
		const first = this.#free < 0 ? undefined : this.#queue.shift();
		if (first) first.go();
		else this.#free++;
	}
}
