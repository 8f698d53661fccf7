import type { ReactiveControllerHost } from "lit";

/** One thing a button does: it runs once at a time, and its failure is shown beside the button. */
export class Action<Arguments extends unknown[] = []> {
	busy = false;
	error: unknown;
	readonly #host: ReactiveControllerHost;
	readonly #work: (...given: Arguments) => Promise<unknown>;

	constructor(host: ReactiveControllerHost, work: (...given: Arguments) => Promise<unknown>) {
		this.#host = host;
		this.#work = work;
	}

	/** Never throws; while it runs, another call does nothing. */
	run = async (...given: Arguments): Promise<void> => {
		if (this.busy) return;
		this.busy = true;
		this.error = undefined;
		this.#host.requestUpdate();
		try {
			await this.#work(...given);
		} catch (error) {
			this.error = error;
		} finally {
			this.busy = false;
			this.#host.requestUpdate();
		}
	};
}
