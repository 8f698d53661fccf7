import type { Host, Ran, Running, RunOptions } from "./host.ts";
import { started, toEnd } from "./run.ts";

/** This very machine. */
export class Here implements Host {
	readonly name = "this machine";
	readonly #running = new Set<Running>();

	async start([file = "", ...words]: readonly string[], signal?: AbortSignal): Promise<Running> {
		const program = await started(file, words, signal);
		this.#running.add(program);
		program.ended.then(() => this.#running.delete(program));
		return program;
	}

	async run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
		return toEnd(await this.start(words, options.signal), options);
	}

	async close(): Promise<void> {
		const left = [...this.#running];
		for (const program of left) program.kill();
		await Promise.all(left.map(({ ended }) => ended));
	}
}
