import type { Readable } from "node:stream";

/** The longest line that a provider and the node take from each other, and a provider from NixOps4, bytes. */
export const longestLine = 64 * 2 ** 20;

/**
 * The lines of a stream, one after the other, without their ends. What comes after the last end is no line: whoever
 * wrote it died in the middle of it. It notices the stream's end at once, also while nobody asks for a line.
 */
export class Lines {
	readonly #waiting: ((line: string | undefined) => void)[] = [];
	readonly #complete: string[] = [];
	readonly #over = new AbortController();
	readonly #longest: number;
	#parts: Buffer[] = [];
	#length = 0;

	/** A line longer than so many bytes ends it, and the stream too. */
	constructor(stream: Readable, longest: number) {
		this.#longest = longest;
		stream.on("data", (chunk: Buffer) => {
			if (!this.#take(chunk)) stream.destroy();
		});
		for (const event of ["end", "error", "close"]) stream.once(event, () => this.#ended());
	}

	/** Aborted when nothing more comes. */
	get over(): AbortSignal {
		return this.#over.signal;
	}

	/** Undefined: there is no more. */
	async next(): Promise<string | undefined> {
		if (this.#complete.length > 0 || this.over.aborted) return this.#complete.shift();
		return new Promise((take) => this.#waiting.push(take));
	}

	#take(chunk: Buffer): boolean {
		let start = 0;
		for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
			this.#give(Buffer.concat([...this.#parts, chunk.subarray(start, end)]).toString("utf8"));
			this.#parts = [];
			this.#length = 0;
			start = end + 1;
		}
		this.#parts.push(chunk.subarray(start));
		this.#length += chunk.length - start;
		return this.#length <= this.#longest;
	}

	#give(line: string): void {
		const take = this.#waiting.shift();
		if (take) take(line);
		else this.#complete.push(line);
	}

	/** As if the stream had ended: lines that came and were not asked for are dropped. Twice is fine. */
	end(): void {
		this.#complete.length = 0;
		this.#ended();
	}

	#ended(): void {
		this.#over.abort();
		for (const take of this.#waiting.splice(0)) take(undefined);
	}
}
