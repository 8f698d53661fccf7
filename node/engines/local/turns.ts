/** One piece of work at a time for each name, in the order in which they were asked for. */
export class Turns {
	readonly #last = new Map<string, Promise<unknown>>();

	/** Does the work when all earlier work of this name has ended, well or not; answers what it answers. */
	take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
		const turn = (this.#last.get(name) ?? Promise.resolve()).then(work, work);
		this.#last.set(name, turn);
		const forget = () => {
			if (this.#last.get(name) === turn) this.#last.delete(name);
		};
		turn.then(forget, forget);
		return turn;
	}
}
