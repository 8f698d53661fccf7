import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Does something every so often while the host is on a page that somebody sees; at once when they come back to it. */
export class Poll implements ReactiveController {
	readonly #ask: () => unknown;
	readonly #seconds: () => number | null;
	#present = false;
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** Seconds that it counts now; 0 while it asks. */
	#waits = 0;

	/** `seconds` is asked anew each time; null pauses until `ensure` or `wake` is called. */
	constructor(host: ReactiveControllerHost, seconds: () => number | null, ask: () => unknown) {
		this.#seconds = seconds;
		this.#ask = ask;
		host.addController(this);
	}

	hostConnected(): void {
		this.#present = true;
		document.addEventListener("visibilitychange", this.#onVisible);
		this.wake();
	}

	hostDisconnected(): void {
		this.#present = false;
		document.removeEventListener("visibilitychange", this.#onVisible);
		this.#stop();
	}

	/** What was drawn may have made it more urgent. */
	hostUpdated(): void {
		const seconds = this.#seconds();
		if (this.#timer !== undefined && seconds !== null && seconds < this.#waits) this.wake();
	}

	/** Begins to count unless it does already. */
	ensure(): void {
		if (this.#timer === undefined) this.wake();
	}

	/** Counts from now. */
	wake(): void {
		this.#stop();
		const seconds = this.#seconds();
		if (seconds === null || !this.#present || document.hidden) return;
		this.#waits = seconds;
		this.#timer = setTimeout(this.#turn, seconds * 1000);
	}

	/** Asks, and only then counts anew: a slow answer is not asked for twice. */
	readonly #turn = async (): Promise<void> => {
		this.#waits = 0;
		await this.#ask();
		this.wake();
	};

	readonly #onVisible = async (): Promise<void> => {
		this.#stop();
		if (!document.hidden && this.#seconds() !== null) await this.#turn();
	};

	#stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}
}
