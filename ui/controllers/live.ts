import type { ReactiveController, ReactiveControllerHost } from "lit";
import { eventsOf, type ServerEvent } from "./event-stream.ts";

/** The node sends a heartbeat every 15 seconds at least; after three missing ones nobody is there. */
const silence = 45_000;
const shortestPause = 500;
const longestPause = 15_000;

interface Stream {
	/** Where to listen; undefined: nowhere. */
	href: () => string | undefined;
	/** The last event that is known already, where the first connection goes on from. */
	after: () => string;
	hear: (event: ServerEvent) => void;
	/** A connection stands; what happened before it began can be fetched now without a gap. */
	opened?: () => void;
	send: typeof fetch;
}

/**
 * Follows one of the node's event streams while its host is on the page. It goes on from the last event it heard
 * (`Last-Event-ID`) after a lost connection, a sleeping tab or a restart of the node, with growing pauses.
 *
 * Not EventSource: that cannot begin after an event, and does not notice a connection that died in its sleep.
 */
export class Live implements ReactiveController {
	/** True while there is a connection; the host says "reconnecting" when not. */
	connected = true;
	#heardAt = 0;
	#last: string | undefined;
	#abort: AbortController | undefined;
	#wake = () => {};
	readonly #host: ReactiveControllerHost;
	readonly #stream: Stream;

	constructor(host: ReactiveControllerHost, stream: Stream) {
		this.#host = host;
		this.#stream = stream;
		host.addController(this);
	}

	hostConnected(): void {
		document.addEventListener("visibilitychange", this.#onVisible);
		addEventListener("online", this.#onVisible);
		this.start();
	}

	hostDisconnected(): void {
		document.removeEventListener("visibilitychange", this.#onVisible);
		removeEventListener("online", this.#onVisible);
		this.stop();
	}

	/** Begins to listen, if there is something to listen to and nobody listens yet. */
	start(): void {
		const href = this.#stream.href();
		if (!href || this.#abort) return;
		this.#abort = new AbortController();
		void this.#follow(href, this.#abort.signal);
	}

	stop(): void {
		this.#abort?.abort();
		this.#abort = undefined;
		this.#wake();
	}

	async #follow(href: string, stopped: AbortSignal): Promise<void> {
		let pause = shortestPause;
		while (!stopped.aborted) {
			const heard = await this.#listen(href, stopped);
			if (heard === "over" || stopped.aborted) return;
			this.#setConnected(false);
			pause = heard === "something" ? shortestPause : Math.min(pause * 2, longestPause);
			await this.#sleep(pause);
		}
	}

	/** One connection, from its beginning to its end. */
	async #listen(href: string, stopped: AbortSignal): Promise<"over" | "something" | "nothing"> {
		const connection = new AbortController();
		const watchdog = setInterval(() => this.#now() - this.#heardAt > silence && connection.abort(), silence / 3);
		this.#drop = () => connection.abort();
		let heard: "something" | "nothing" = "nothing";
		try {
			this.#heardAt = this.#now();
			const response = await this.#stream.send(href, {
				headers: { accept: "text/event-stream", "last-event-id": this.#last ?? this.#stream.after() },
				signal: AbortSignal.any([stopped, connection.signal]),
			});
			if (isFinal(response.status) || !response.body) return "over";
			if (!response.ok) return "nothing";
			this.#setConnected(true);
			this.#stream.opened?.();
			for await (const event of eventsOf(response.body, () => (this.#heardAt = this.#now()))) {
				heard = "something";
				if (event.id) this.#last = event.id;
				this.#stream.hear(event);
				this.#host.requestUpdate();
			}
		} catch {
			// A broken connection is no news by itself; the pause and "reconnecting" follow.
		} finally {
			clearInterval(watchdog);
		}
		return heard;
	}

	#drop = () => {};

	readonly #onVisible = (): void => {
		if (document.hidden) return;
		if (this.#now() - this.#heardAt > silence / 3) this.#drop();
		this.#wake();
	};

	async #sleep(milliseconds: number): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, milliseconds);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	#setConnected(connected: boolean): void {
		if (connected === this.connected) return;
		this.connected = connected;
		this.#host.requestUpdate();
	}

	#now(): number {
		return Date.now();
	}
}

/** 204 ends a stream by the standard; what is forbidden or gone does not come back by asking again. */
function isFinal(status: number): boolean {
	return [204, 401, 403, 404, 410].includes(status);
}
