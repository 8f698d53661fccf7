import type { Readable, Writable } from "node:stream";
import { failureOf, messageOf } from "./failure.ts";
import { FrameReader, headOf, kinds, mostLength } from "./frame.ts";

/** Bytes that may be under way to a side that has not used them yet, for each talk and each way. */
const window = 8 * 1024 * 1024;

/** The other side is gone, or what it says makes no sense. */
export class LineCut extends Error {
	override readonly name = "LineCut";
}

/** Answers one call; what it returns is the call's result. */
export type Answer = (method: string, args: unknown, talk: Talk) => Promise<unknown>;

/**
 * Calls over one stream each way, many at a time. Each call is a talk: both sides may send blocks of bytes as fast as the
 * other uses them, then end it, the one who answers with a result. When the line ends, every talk fails with LineCut.
 */
export class Line {
	readonly #output: Writable;
	readonly #answer: Answer | undefined;
	readonly #talks = new Map<number, Talk>();
	readonly #reader: FrameReader;
	#next = 1;
	#cut: LineCut | undefined;
	readonly #ended = Promise.withResolvers<void>();

	/** Without `answer` this side only calls. */
	constructor(input: Readable, output: Writable, answer?: Answer) {
		this.#output = output;
		this.#answer = answer;
		this.#reader = new FrameReader((id, kind, body) => this.#take(id, kind, body));
		input.on("data", (chunk: Buffer) => this.#read(chunk));
		input.on("end", () => this.end(new LineCut("The line has ended")));
		for (const stream of [input, output])
			stream.on("error", (error) => this.end(new LineCut("The line is broken", { cause: error })));
		output.on("close", () => this.end(new LineCut("The line has ended")));
	}

	/** Resolves when there is nobody left at the other end. */
	get ended(): Promise<void> {
		return this.#ended.promise;
	}

	get isOpen(): boolean {
		return this.#cut === undefined;
	}

	call(method: string, args: unknown = {}): Talk {
		const talk = this.#talk(this.#next++);
		this.#send(talk.id, kinds.open, [Buffer.from(JSON.stringify({ method, args }))]).catch(() => {});
		return talk;
	}

	/** Fails every talk. Twice is fine. */
	end(reason = new LineCut("The line was ended")): void {
		if (this.#cut) return;
		this.#cut = reason;
		for (const talk of this.#talks.values()) talk.broken(reason);
		this.#talks.clear();
		this.#ended.resolve();
	}

	#talk(id: number): Talk {
		const talk = new Talk(id, {
			send: (kind, chunks) => this.#send(id, kind, chunks),
			done: () => void this.#talks.delete(id),
			reuse: (block) => this.#reader.reuse(block),
		});
		if (this.#cut) talk.broken(this.#cut);
		else this.#talks.set(id, talk);
		return talk;
	}

	#read(chunk: Buffer): void {
		if (this.#cut) return;
		try {
			this.#reader.read(chunk);
		} catch (error) {
			this.end(new LineCut("The other side does not speak as it should", { cause: error }));
		}
	}

	#take(id: number, kind: number, body: Buffer): void {
		if (kind === kinds.open) this.#opened(id, body);
		// A talk that is over here may not be over there yet.
		else this.#talks.get(id)?.take(kind, body);
	}

	#opened(id: number, body: Buffer): void {
		if (!this.#answer || this.#talks.has(id)) throw new Error("Nobody may call here");
		const { method, args } = JSON.parse(body.toString()) as { method: string; args: unknown };
		const talk = this.#talk(id);
		this.#answer(method, args, talk).then(
			(result) => talk.finish(result),
			(error) => talk.fail(error),
		);
	}

	/** Resolves when the bytes have left this process, and may be used for something else. */
	#send(id: number, kind: number, chunks: readonly Uint8Array[]): Promise<void> {
		if (this.#cut) return Promise.reject(this.#cut);
		return new Promise((resolve, reject) => {
			const sent = (error?: Error | null) =>
				error ? reject(this.#cut ?? new LineCut("The line is broken")) : resolve();
			this.#output.cork();
			this.#output.write(headOf(id, kind, chunks), chunks.length === 0 ? sent : undefined);
			for (const [at, chunk] of chunks.entries())
				this.#output.write(chunk, at === chunks.length - 1 ? sent : undefined);
			this.#output.uncork();
		});
	}
}

interface Wire {
	send(kind: number, chunks: readonly Uint8Array[]): Promise<void>;
	done(): void;
	reuse(block: Buffer): void;
}

/** One call, as each of its sides sees it. */
export class Talk {
	readonly id: number;
	readonly #wire: Wire;
	readonly #abort = new AbortController();
	readonly #blocks: Buffer[] = [];
	#queued = 0;
	#used = 0;
	#credit = window;
	#mayGoOn = Promise.withResolvers<void>();
	#arrived = Promise.withResolvers<void>();
	#hasEnded = false;
	#hasFinished = false;
	#result: unknown;
	#failure: Error | undefined;

	/** Made by the line. */
	constructor(id: number, wire: Wire) {
		this.id = id;
		this.#wire = wire;
	}

	/** Aborted when the other side wants no more of this, or is gone. */
	get signal(): AbortSignal {
		return this.#abort.signal;
	}

	/** Waits until the other side has room, then until the block has left this process. */
	async send(block: Uint8Array): Promise<void> {
		while (this.#credit <= 0 && !this.#failure) await this.#mayGoOn.promise;
		if (this.#failure) throw this.#failure;
		this.#credit -= block.length;
		await this.#wire.send(kinds.data, [block]);
	}

	/** This side sends no more. */
	finish(result?: unknown): void {
		if (this.#hasFinished || this.#failure) return;
		this.#hasFinished = true;
		this.#wire.send(kinds.end, [Buffer.from(JSON.stringify(result ?? null))]).catch(() => {});
		this.#maybeDone();
	}

	/** Ends it for both sides, with what the other one is to be told. */
	fail(error: unknown): void {
		if (this.#failure) return;
		this.#wire.send(kinds.fail, [Buffer.from(JSON.stringify(messageOf(error)))]).catch(() => {});
		this.broken(error instanceof Error ? error : new Error(String(error)));
	}

	/** The blocks the other side sends, to its end. Each stays as it is until the second one after it is asked for. */
	async *blocks(): AsyncGenerator<Buffer, void, void> {
		const given: Buffer[] = [];
		try {
			for (;;) {
				const block = this.#blocks.shift();
				if (block) {
					given.push(block);
					yield block;
					this.#use(block.length);
					if (given.length > 2) this.#wire.reuse(given.shift() as Buffer);
				} else if (this.#failure) throw this.#failure;
				else if (this.#hasEnded) return;
				else await this.#arrived.promise;
			}
		} finally {
			if (!this.#hasEnded) this.cancel();
		}
	}

	/** What the other side ended it with; blocks that nobody has asked for are passed over. */
	async result(): Promise<unknown> {
		for await (const _ of this.blocks());
		return this.#result;
	}

	/** Wants no more of it. After its end this changes nothing. */
	cancel(): void {
		if (this.#failure || (this.#hasEnded && this.#hasFinished)) return;
		this.#wire.send(kinds.cancel, []).catch(() => {});
		this.broken(new Error("Called off"));
	}

	/** It is over, by the line's word. */
	broken(reason: Error): void {
		if (this.#failure) return;
		this.#failure = reason;
		this.#abort.abort(reason);
		this.#mayGoOn.resolve();
		this.#arrived.resolve();
		this.#wire.done();
	}

	/** What has come for it, by the line's word. */
	take(kind: number, body: Buffer): void {
		if (kind === kinds.credit) this.#more(body.readUInt32BE(0));
		else if (kind === kinds.fail) this.broken(failureOf(JSON.parse(body.toString())));
		else if (kind === kinds.cancel) this.broken(new Error("The other side wants no more of this"));
		else if (kind === kinds.end) this.#end(JSON.parse(body.toString()));
		else if (kind === kinds.data) this.#queue(body);
		else throw new Error(`A frame of kind ${kind}`);
	}

	#queue(block: Buffer): void {
		this.#queued += block.length;
		if (this.#queued > window + mostLength) throw new Error("More came than there is room for");
		this.#blocks.push(block);
		this.#wake();
	}

	#end(result: unknown): void {
		this.#result = result;
		this.#hasEnded = true;
		this.#wake();
		this.#maybeDone();
	}

	#more(bytes: number): void {
		this.#credit += bytes;
		this.#mayGoOn.resolve();
		this.#mayGoOn = Promise.withResolvers();
	}

	#use(bytes: number): void {
		this.#queued -= bytes;
		this.#used += bytes;
		if (this.#used < window / 4 || this.#failure) return;
		const credit = Buffer.allocUnsafe(4);
		credit.writeUInt32BE(this.#used);
		this.#used = 0;
		this.#wire.send(kinds.credit, [credit]).catch(() => {});
	}

	#wake(): void {
		this.#arrived.resolve();
		this.#arrived = Promise.withResolvers();
	}

	#maybeDone(): void {
		if (this.#hasEnded && this.#hasFinished) this.#wire.done();
	}
}
