import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Answers carry whole seconds and travel for a while; only a difference above this is the clock's fault. */
const tolerated = 3000;

/** The node's time, told from its answers, so that a computer with a wrong clock still counts seconds right. */
export class Clock {
	#offset = 0;
	readonly #here: () => number;

	constructor(here: () => number = Date.now) {
		this.#here = here;
	}

	/** Learns from the Date header of an answer. */
	hear(headers: Headers): void {
		const there = Date.parse(headers.get("date") ?? "");
		if (Number.isNaN(there)) return;
		const offset = there - this.#here();
		this.#offset = Math.abs(offset) > tolerated ? offset : 0;
	}

	/** Milliseconds since 1970 as the node counts them. */
	now(): number {
		return this.#here() + this.#offset;
	}
}

/** Draws its host again every second, while anybody can see it and `wanted` says that something counts. */
export class Ticker implements ReactiveController {
	readonly #host: ReactiveControllerHost;
	readonly #wanted: () => boolean;
	#timer: ReturnType<typeof setInterval> | undefined;

	constructor(host: ReactiveControllerHost, wanted: () => boolean) {
		this.#host = host;
		this.#wanted = wanted;
		host.addController(this);
	}

	hostConnected(): void {
		this.#timer = setInterval(() => this.#wanted() && !document.hidden && this.#host.requestUpdate(), 1000);
	}

	hostDisconnected(): void {
		clearInterval(this.#timer);
	}
}
