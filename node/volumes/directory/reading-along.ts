import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Content } from "./content.ts";
import type { Contents, FilesToRead, TreeToRead } from "./reading-along-work.ts";

/** What a file costs besides its bytes, in bytes. */
const perFile = 32 * 1024;
/** Bytes after which it pays to begin a thread. */
const much = availableParallelism() > 1 ? 64 * 1024 * 1024 : Number.POSITIVE_INFINITY;
/** It holds a piece and some hundred paths. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

/** Files that two threads read. */
export interface Handful {
	/** What the second thread read of the file with this number; undefined: it did not, nor will it. To be asked for in order. */
	content(number: number): Promise<Content | undefined>;
}

/**
 * Has files of a tree read by a second thread while this one reads others: of each handful one begins at the front and
 * the other at the back, until they meet. Where there is little to read, or a single processor, nothing is read along.
 */
export class ReadingAlong {
	readonly #tree: TreeToRead;
	#left: number;
	#worker: Worker | undefined;
	#waiting: ((contents: Contents) => void)[] = [];

	/** From `least` bytes on. */
	constructor(tree: TreeToRead, least = much) {
		this.#tree = tree;
		this.#left = least;
	}

	/** Begins with these files, of so many bytes together; may be called before the ones before were asked for. */
	begin(raws: readonly string[], bytes: number): Handful {
		this.#left -= bytes + raws.length * perFile;
		if (this.#left > 0 || raws.length === 0) return new Shared();
		this.#worker ??= this.#begun();
		const claims = new Int32Array(new SharedArrayBuffer(raws.length * Int32Array.BYTES_PER_ELEMENT));
		const { promise, resolve } = Promise.withResolvers<Contents>();
		this.#waiting.push(resolve);
		this.#worker.postMessage({ raws, claims } satisfies FilesToRead);
		return new Shared(claims, promise);
	}

	/** Ends the thread; what it has not read is left to who asks. Twice is fine. */
	close(): void {
		void this.#worker?.terminate();
		this.#left = Number.POSITIVE_INFINITY;
		for (const resolve of this.#waiting.splice(0)) resolve([]);
	}

	#begun(): Worker {
		const file = new URL("./reading-along-work.ts", import.meta.url);
		const worker = new Worker(file, { workerData: this.#tree, execArgv: [], resourceLimits });
		worker.unref();
		worker.on("message", (contents: Contents) => this.#waiting.shift()?.(contents));
		// Whoever asks can do without it.
		worker.on("error", () => this.close()).on("exit", () => this.close());
		return worker;
	}
}

class Shared implements Handful {
	readonly #claims: Int32Array | undefined;
	readonly #contents: Promise<Contents> | undefined;

	constructor(claims?: Int32Array, contents?: Promise<Contents>) {
		this.#claims = claims;
		this.#contents = contents;
	}

	async content(number: number): Promise<Content | undefined> {
		if (!this.#claims || Atomics.compareExchange(this.#claims, number, 0, 1) === 0) return undefined;
		return (await this.#contents)?.[number];
	}
}
