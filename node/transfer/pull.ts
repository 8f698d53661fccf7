import type { Readable } from "node:stream";
import { openStreamKey, type SealPair } from "#protocol/migration/seal.ts";
import { hashOf } from "../volumes/piece.ts";
import type { Piece, PieceName, Target } from "../volumes/volume.ts";
import { Arrival, StreamRefused } from "./arrival.ts";
import { contextOf, openFrames, unpacked } from "./frames.ts";
import { Entries } from "./lines.ts";
import type { Meter, MeterPart } from "./meter.ts";
import type { Patience } from "./patience.ts";
import { release } from "./release.ts";
import type { Wanted } from "./wanted.ts";
import { encodeRequest, type Want, withoutFirst } from "./wants.ts";

/** What the source answers a request for pieces with. */
export interface SealedStream {
	readonly stream: Readable;
	/** The answer's signed header `fediversity-stream`. */
	readonly header: string;
}

export interface PullOptions {
	readonly ask: (request: Uint8Array) => Promise<SealedStream>;
	readonly sid: string;
	readonly keys: SealPair;
	/** How long the source may be silent, in milliseconds. */
	readonly silence: number;
	readonly signal: AbortSignal;
	readonly patience: Patience;
	readonly meter: Meter;
	/** Of this volume. */
	readonly part: MeterPart;
	/** Hears of each piece that the source no longer has or that has changed there. */
	skipped(name: PieceName): void;
}

/** A volume on its way here. */
export interface Taking {
	readonly listing: string;
	/** The listing's file. */
	readonly file: string;
	readonly target: Target;
}

/** Fetches all that is wanted, from as many streams as it takes. Throws what is final, or what the target could not write. */
export async function pull(taking: Taking, wanted: Wanted, options: PullOptions): Promise<void> {
	const { patience, part } = options;
	for (const batch of wanted.batches()) {
		const before = part.mark();
		for (let done = 0; done < batch.pieces; ) {
			const stream = new Stream(taking, withoutFirst(batch.wants, done), options);
			const failure = await stream.run();
			done += stream.done;
			if (stream.done > 0) patience.restart();
			if (failure) await patience.after(failure.error);
		}
		part.passed(before, batch);
	}
}

/** Bytes that may wait while the target writes others. */
const mostWaiting = 4 * 1024 * 1024;

/** One answer of the source, from its first byte to the last that came. */
class Stream {
	readonly #taking: Taking;
	readonly #options: PullOptions;
	readonly #request: Buffer;
	readonly #expected: Expected;
	#waiting: Piece[] = [];
	#waitingBytes = 0;
	/** What the waiting pieces lie in. */
	#frames: Buffer[] = [];
	#writing: Promise<void> | undefined;
	#failed: { error: unknown } | undefined;
	/** How many of the pieces asked for are over and done with: written, or known not to come. */
	done = 0;

	constructor(taking: Taking, wants: readonly Want[], options: PullOptions) {
		this.#taking = taking;
		this.#options = options;
		this.#request = encodeRequest(taking.listing, wants);
		this.#expected = new Expected(taking.file, wants);
	}

	/** Answers nothing once all is there, or what went wrong on the wire. Throws what went wrong here. */
	async run(): Promise<{ error: unknown } | undefined> {
		try {
			const failure = await this.#takeAll().then(
				() => undefined,
				(error: unknown) => ({ error }),
			);
			while (this.#writing) await this.#writing;
			if (this.#failed) throw this.#failed.error;
			return failure;
		} finally {
			this.#expected.close();
		}
	}

	async #takeAll(): Promise<void> {
		const { ask, sid, keys, silence, signal, meter } = this.#options;
		const { stream, header } = await ask(this.#request);
		const arrival = new Arrival(stream, silence);
		try {
			const key = (sealed: Uint8Array) => openStreamKey(keys, sealed, header);
			for await (const plain of openFrames(arrival, key, contextOf(sid, this.#request))) {
				signal.throwIfAborted();
				this.#takeFrame(plain);
				while (this.#writing && this.#waitingBytes > mostWaiting) await this.#writing;
				if (this.#failed) return;
			}
			for (const name of this.#expected.upTo(Number.POSITIVE_INFINITY)) this.#options.skipped(name);
			this.#write();
		} finally {
			meter.wire += arrival.bytes;
			arrival.close();
		}
	}

	#takeFrame(plain: Buffer): void {
		const { skipped, part } = this.#options;
		for (const { ordinal, bytes } of unpacked(plain)) {
			for (const name of this.#expected.upTo(ordinal)) skipped(name);
			const piece = this.#expected.next();
			if (!piece || ordinal !== this.#expected.number - 1)
				throw new StreamRefused("A piece came that nobody asked for");
			if (hashOf(bytes) !== piece.hash) {
				skipped(piece);
				continue;
			}
			part.take(piece.line, bytes.length);
			this.#waiting.push({ path: piece.path, index: piece.index, bytes });
			this.#waitingBytes += bytes.length;
		}
		this.#frames.push(plain);
		this.#write();
	}

	/** One write at a time: what comes meanwhile goes into the next. */
	#write(): void {
		if (this.#writing || this.#failed) return;
		const upTo = this.#expected.number;
		if (this.#waiting.length === 0) {
			this.done = upTo;
			return;
		}
		const [pieces, frames] = [this.#waiting, this.#frames];
		this.#waiting = [];
		this.#frames = [];
		this.#waitingBytes = 0;
		this.#writing = this.#taking.target
			.write(pieces)
			.then(
				() => {
					this.done = upTo;
				},
				(error: unknown) => {
					this.#failed = { error };
				},
			)
			.finally(() => {
				for (const frame of frames) release(frame);
				this.#writing = undefined;
				this.#write();
			});
	}
}

interface ExpectedPiece extends PieceName {
	readonly line: number;
	readonly hash: string | undefined;
}

/** The pieces that were asked for, one after the other. */
class Expected {
	readonly #entries: Entries;
	readonly #wants: Iterator<Want>;
	#want: Want | undefined;
	#taken = 0;
	/** How many there were already. */
	number = 0;

	constructor(file: string, wants: readonly Want[]) {
		this.#entries = new Entries(file);
		this.#wants = wants.values();
		this.#want = this.#nextWant();
	}

	next(): ExpectedPiece | undefined {
		if (this.#want && this.#taken === this.#want.count) this.#want = this.#nextWant();
		const want = this.#want;
		const entry = want && this.#entries.at(want.line);
		if (!want || !entry) return undefined;
		const index = want.first + this.#taken++;
		this.number++;
		return { path: entry.path, index, line: want.line, hash: entry.pieces[index] };
	}

	/** Those before this number that nobody has taken yet. */
	*upTo(number: number): Generator<ExpectedPiece> {
		while (this.number < number) {
			const piece = this.next();
			if (!piece) return;
			yield piece;
		}
	}

	close(): void {
		this.#entries.close();
	}

	#nextWant(): Want | undefined {
		this.#taken = 0;
		const { value, done } = this.#wants.next();
		return done ? undefined : value;
	}
}
