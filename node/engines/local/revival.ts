import { setTimeout as wait } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import type { Report } from "../engine.ts";

const logger = getLogger(["fediversity", "engines"]);

/** After a start, so many services are brought up at a time. */
const atATime = 4;

/** Pauses between tries to bring one up that cannot start, milliseconds. */
const firstPause = 10_000;
const longestPause = 10 * 60_000;

/** Brings services up that should run, besides anything that was asked for. One that cannot start is tried again later, less and less often. */
export class Revival<Service extends { readonly id: string }> {
	readonly #start: (service: Service, report: Report) => Promise<void>;
	readonly #closing = new AbortController();
	readonly #besides = new Set<Promise<void>>();

	/** `start` looks by itself whether the service should still run. */
	constructor(start: (service: Service, report: Report) => Promise<void>) {
		this.#start = start;
	}

	begin(services: readonly Service[]): void {
		const queue = services.values();
		for (let n = 0; n < atATime; n++) this.#aside(this.#bringUpAll(queue));
	}

	/** Gives up what is under way, and waits for its end. */
	async close(): Promise<void> {
		this.#closing.abort(new Problem("cancelled"));
		await Promise.all(this.#besides);
	}

	#aside(work: Promise<void>) {
		const tidy = work.finally(() => this.#besides.delete(tidy));
		this.#besides.add(tidy);
	}

	async #bringUpAll(queue: IteratorObject<Service>): Promise<void> {
		for (const service of queue) await this.#bringUp(service, firstPause);
	}

	async #bringUp(service: Service, pause: number): Promise<void> {
		const { signal } = this.#closing;
		try {
			await this.#start(service, { signal, progress: () => {}, log: () => {} });
		} catch (error) {
			if (signal.aborted) return;
			logger.error("{service} does not start: {error}", { service: service.id, error });
			this.#aside(this.#bringUpLater(service, pause));
		}
	}

	async #bringUpLater(service: Service, pause: number): Promise<void> {
		const { signal } = this.#closing;
		await wait(pause, undefined, { signal, ref: false }).catch(() => {});
		if (!signal.aborted) await this.#bringUp(service, Math.min(pause * 2, longestPause));
	}
}
