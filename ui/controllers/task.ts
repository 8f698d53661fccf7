import type { ReactiveController, ReactiveControllerHost, TemplateResult } from "lit";

interface Faces<Value> {
	ready: (value: Value) => TemplateResult | unknown;
	loading: () => TemplateResult | unknown;
	failed: (error: unknown, again: () => void) => TemplateResult | unknown;
}

/** Fetches what its host shows: once when the host appears, again whenever it is told to; what is there stays meanwhile. */
export class Task<Value> implements ReactiveController {
	value: Value | undefined;
	error: unknown;
	readonly #host: ReactiveControllerHost;
	readonly #fetch: (signal: AbortSignal) => Promise<Value>;
	#abort = new AbortController();

	constructor(host: ReactiveControllerHost, fetch: (signal: AbortSignal) => Promise<Value>) {
		this.#host = host;
		this.#fetch = fetch;
		host.addController(this);
	}

	hostConnected(): void {
		void this.run();
	}

	hostDisconnected(): void {
		this.#abort.abort();
	}

	/** Fetches anew; an older fetch still under way is dropped. Never throws: `error` has it. */
	run = async (): Promise<void> => {
		this.#abort.abort();
		this.#abort = new AbortController();
		const { signal } = this.#abort;
		try {
			const value = await this.#fetch(signal);
			if (signal.aborted) return;
			this.value = value;
			this.error = undefined;
		} catch (error) {
			if (signal.aborted) return;
			this.error = error;
		}
		this.#host.requestUpdate();
	};

	/** Replaces what is there, with something newer that came another way. */
	set(value: Value): void {
		this.value = value;
		this.error = undefined;
		this.#host.requestUpdate();
	}

	/** What is there is shown even when a later fetch fails; the window says that the node is out of reach. */
	render({ ready, loading, failed }: Faces<Value>): unknown {
		if (this.value !== undefined) return ready(this.value);
		return this.error === undefined ? loading() : failed(this.error, this.#again);
	}

	readonly #again = (): void => {
		this.error = undefined;
		this.#host.requestUpdate();
		void this.run();
	};
}
