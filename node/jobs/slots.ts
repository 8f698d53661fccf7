/** A number of places, given in the order in which they were asked for. */
export class Slots {
	#free: number;
	readonly #queue: (() => void)[] = [];

	constructor(number: number) {
		this.#free = number;
	}

	/** A place at once, or none. */
	tryTake(): boolean {
		if (this.#free === 0) return false;
		this.#free--;
		return true;
	}

	async take(): Promise<void> {
		if (!this.tryTake()) await new Promise<void>((resolve) => this.#queue.push(resolve));
	}

	give() {
		const first = this.#queue.shift();
		if (first) first();
		else this.#free++;
	}
}
