import type { Readable } from "node:stream";
import { release } from "./release.ts";

/** The other side went silent or hung up. */
export class Torn extends Error {
	override readonly name = "Torn";
}

/** What came is not what was asked for, or not what the other side has sealed. */
export class StreamRefused extends Error {
	override readonly name = "StreamRefused";
}

const none = Buffer.alloc(0);

/** What comes in from the other node, to be taken in lengths of one's own choice. Ends itself when nothing comes any more. */
export class Arrival {
	readonly #stream: Readable;
	readonly #chunks: AsyncIterator<Buffer>;
	readonly #watch: NodeJS.Timeout;
	#chunk: Buffer = none;
	#isWaiting = false;
	#wasWaiting = false;
	/** Bytes so far. */
	bytes = 0;

	/** Without a byte for `patience` milliseconds while somebody waits for one (at most twice as long), it is torn. */
	constructor(stream: Readable, patience: number) {
		this.#stream = stream;
		this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
		this.#watch = setInterval(() => this.#look(), patience);
	}

	/** Some bytes, as they come; undefined at the end. */
	async some(): Promise<Buffer | undefined> {
		if (this.#chunk.length === 0 && !(await this.#more())) return undefined;
		const chunk = this.#chunk;
		this.#chunk = none;
		return chunk;
	}

	async take(length: number): Promise<Buffer> {
		const bytes = Buffer.allocUnsafe(length);
		await this.fill(bytes);
		return bytes;
	}

	async fill(target: Buffer): Promise<void> {
		for (let at = 0; at < target.length; ) {
			if (this.#chunk.length === 0 && !(await this.#more())) throw new Torn("The stream ended too early");
			const chunk = this.#chunk;
			const count = chunk.copy(target, at);
			this.#chunk = count < chunk.length ? chunk.subarray(count) : none;
			if (count === chunk.length) release(chunk);
			at += count;
		}
	}

	/** Throws if there is more. */
	async end(): Promise<void> {
		if (this.#chunk.length > 0 || (await this.#more())) throw new StreamRefused("The stream goes on after its end");
	}

	/** Hangs up; also for one that has ended. */
	close(): void {
		clearInterval(this.#watch);
		this.#stream.destroy();
	}

	async #more(): Promise<boolean> {
		this.#isWaiting = true;
		try {
			const { value, done } = await this.#chunks.next();
			if (done) return false;
			this.#chunk = value;
			this.bytes += value.length;
			return true;
		} finally {
			this.#isWaiting = false;
			this.#wasWaiting = false;
		}
	}

	#look(): void {
		if (this.#wasWaiting) this.#stream.destroy(new Torn("The other node has gone silent"));
		this.#wasWaiting = this.#isWaiting;
	}
}
