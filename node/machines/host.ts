import type { Readable, Writable } from "node:stream";

/** A machine on which programs can be run: this one, or another one over ssh. */
export interface Host {
	/** For messages, such as `machine one (192.0.2.7)`. */
	readonly name: string;
	/**
	 * Starts a program that is talked to. The words reach it as they are, whatever is in them; they can be read by everybody
	 * on both machines, so nothing secret may be among them. Whatever happens, the program's input ends with this process.
	 * Throws Problems `machine-silent`, `machine-refused` or `machine-key-changed` when the machine cannot be reached.
	 */
	start(words: readonly string[], signal?: AbortSignal): Promise<Running>;
	/** Runs a program to its end; what it says is kept up to some MiB, and is the caller's to judge, as is its exit code. */
	run(words: readonly string[], options?: RunOptions): Promise<Ran>;
	/** Ends the connection and what still runs over it. Twice is fine; a later call connects anew. */
	close(): Promise<void>;
}

export interface RunOptions {
	readonly input?: string | Uint8Array;
	readonly signal?: AbortSignal;
	/** Seconds after which it is ended; Problem `took-too-long`. */
	readonly deadline?: number;
}

export interface Ran {
	readonly code: number;
	readonly output: string;
	readonly errors: string;
}

/** A program that runs. */
export interface Running {
	readonly input: Writable;
	readonly output: Readable;
	/** The last of what it says on the side of messages. */
	errors(): string;
	/** Its exit code; null: a signal has ended it, or the line to its machine broke. */
	readonly ended: Promise<number | null>;
	kill(): void;
}
