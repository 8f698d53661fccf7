import { setTimeout as wait } from "node:timers/promises";
import { Problem } from "#protocol/problem.ts";
import type { Running } from "../machines/host.ts";
import type { Agent } from "./agent.ts";
import { Line, LineCut } from "./line.ts";

/** How often something is tried again whose line broke, and how long is waited before the first of these, in milliseconds. */
const attempts = 6;
const firstPause = 200;

/** The line to an agent that serves one end of a volume: made when it is needed, and made anew after it broke. */
export class Connection {
	readonly #agent: Agent;
	readonly #words: readonly string[];
	#open: { readonly line: Line; readonly program: Running } | undefined;
	#opening: Promise<Line> | undefined;
	/** Grows with each line. */
	number = 0;

	/** `words` is what the agent is told. */
	constructor(agent: Agent, words: readonly string[]) {
		this.#agent = agent;
		this.#words = words;
	}

	/**
	 * Does work that may be done again; while lines break it is done again, some times over about six seconds, then
	 * `machine-silent`. What the agent says is passed on as it is.
	 */
	async during<Result>(signal: AbortSignal | undefined, work: (line: Line) => Promise<Result>): Promise<Result> {
		for (let attempt = 1; ; attempt++) {
			signal?.throwIfAborted();
			try {
				return await work(await this.line());
			} catch (error) {
				await this.mended(error, attempt, signal);
			}
		}
	}

	/** Resolves after a pause when it makes sense to try again; else throws what is to be told. */
	async mended(error: unknown, attempt: number, signal: AbortSignal | undefined): Promise<void> {
		const isWeather = error instanceof LineCut || (error instanceof Problem && error.code === "machine-silent");
		if (!isWeather) throw error;
		const why = await this.#lost();
		if (why) throw why;
		const machine = this.#agent.host.name;
		if (attempt >= attempts) throw new Problem("machine-silent", { machine, reason: (error as Error).message });
		await wait(firstPause * 2 ** (attempt - 1), undefined, signal && { signal });
	}

	/** The same one for all who ask at the same time. */
	async line(): Promise<Line> {
		if (this.#open?.line.isOpen) return this.#open.line;
		this.#opening ??= this.#opened().finally(() => {
			this.#opening = undefined;
		});
		return this.#opening;
	}

	async #opened(): Promise<Line> {
		await this.close();
		const program = await this.#agent.host.start([...this.#agent.program, ...this.#words]);
		const line = new Line(program.output, program.input);
		this.#open = { line, program };
		this.number++;
		return line;
	}

	/** Ends the agent at the other end, and waits for that. */
	async close(): Promise<void> {
		const open = this.#open;
		this.#open = undefined;
		if (!open) return;
		open.line.end();
		open.program.input.end();
		const late = setTimeout(() => open.program.kill(), 5000);
		await open.program.ended;
		clearTimeout(late);
	}

	/** What an agent has said that ended by itself; undefined: it was the line. */
	async #lost(): Promise<Error | undefined> {
		const open = this.#open;
		// Somebody else may have made a new line meanwhile.
		if (!open || open.line.isOpen) return undefined;
		const { program } = open;
		program.input.end();
		const late = setTimeout(() => program.kill(), 2000);
		const code = await program.ended;
		clearTimeout(late);
		if (this.#open === open) this.#open = undefined;
		// What ssh ends with when its connection broke, and what is told of a process that was killed.
		if (code === null || code === 0 || code === 255 || code > 128) return undefined;
		return this.#agent.failure({ code, errors: program.errors() });
	}
}
