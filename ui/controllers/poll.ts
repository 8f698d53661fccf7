import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Does something every so often while the host is on a page that somebody sees; at once when they come back to it. */
export class Poll implements ReactiveController {
	readonly #ask: () => unknown;
	readonly #seconds: () => number | null;
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** `seconds` is asked anew each time; null pauses, and `wake` ends the pause. */
	constructor(host: ReactiveControllerHost, seconds: () => number | null, ask: () => unknown) {
		this.#seconds = seconds;
		this.#ask = ask;
		host.addController(this);
	}

	hostConnected(): void {
		document.addEventListener("visibilitychange", this.#onVisible);
		this.wake();
	}

	hostDisconnected(): void {
		document.removeEventListener("visibilitychange", this.#onVisible);
		clearTimeout(this.#timer);
	}

	/** Begins to count unless it does already. */
	ensure(): void {
		if (this.#timer === undefined) this.wake();
	}

	/** Counts from now. */
	wake(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const seconds = this.#seconds();
		if (seconds === null || document.hidden) return;
		this.#timer = setTimeout(async () => {
			await this.#ask();
			this.wake();
		}, seconds * 1000);
	}

	readonly #onVisible = async (): Promise<void> => {
		if (document.hidden) return clearTimeout(this.#timer);
		if (this.#seconds() !== null) await this.#ask();
		this.wake();
	};
}
