import { type BigIntStats, closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { hashLength } from "../piece.ts";
import { comesBefore } from "./name.ts";

/** What was read of one file: its pieces' names one after the other, and how the file looked from outside then. */
export interface FileRecord {
	readonly raw: string;
	readonly signature: string;
	readonly pieces: string;
}

const block = 256 * 1024;

/** A file that looks the same has the same content, unless it was changed in the tick in which it was read. */
export const signatureOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats) => `${ino} ${size} ${mtimeNs} ${ctimeNs}`;

/**
 * The same for what the node keeps for itself: nobody else writes there, and a new name or other rights are no change of
 * content.
 */
export const stagedSignatureOf = ({ ino, size, mtimeNs }: BigIntStats) => `${ino} ${size} ${mtimeNs}`;

export function splitPieces(pieces: string): string[] {
	if (pieces.length === hashLength) return [pieces];
	return Array.from({ length: pieces.length / hashLength }, (_, index) => pieceAt(pieces, index));
}

export const pieceAt = (pieces: string, index: number) => pieces.slice(index * hashLength, (index + 1) * hashLength);

/** Writes records in the order of a listing, some hundred kilobytes at a time. */
export class RecordWriter {
	#fd: number | undefined;
	#waiting = "";

	/** Begins the file anew. */
	constructor(file: string) {
		this.#fd = openSync(file, "w", 0o600);
	}

	add(raw: string, signature: string, pieces: string): void {
		this.#waiting += `${escaped(raw)}\t${signature}\t${pieces}\n`;
		if (this.#waiting.length > block) this.flush();
	}

	/** Adds a record as another reader has it. */
	copy(line: string): void {
		this.#waiting += `${line}\n`;
		if (this.#waiting.length > block) this.flush();
	}

	/** Brings what was added to where it can be read. */
	flush(): void {
		if (this.#fd === undefined) throw new Error("These records are closed");
		const bytes = Buffer.from(this.#waiting, "latin1");
		for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
		this.#waiting = "";
	}

	/** Writes what is left. Twice is fine. */
	close(): void {
		if (this.#fd === undefined) return;
		this.flush();
		fsyncSync(this.#fd);
		closeSync(this.#fd);
		this.#fd = undefined;
	}
}

/** Reads them again. A file that was cut off or damaged ends where it still makes sense. */
export class RecordReader {
	readonly #fd: number | undefined;
	readonly #buffer = Buffer.allocUnsafe(block);
	#lines: string[] = [];
	#next = 0;
	#rest = "";
	/** The record that comes next: its line, and its path. */
	#current: { readonly line: string; readonly raw: string } | undefined;

	/** Of a file that need not exist. */
	constructor(file: string) {
		try {
			this.#fd = openSync(file, "r");
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
		}
		this.#advance();
	}

	/** The record of this path, if there is one. Paths must be asked for in the order of a listing. */
	find(raw: string): FileRecord | undefined {
		for (; this.#current; this.#advance()) {
			if (this.#current.raw === raw) return recordOf(this.#current);
			if (!comesBefore(this.#current.raw, raw)) return undefined;
		}
	}

	/** The record that comes next. */
	next(): FileRecord | undefined {
		const record = this.#current;
		this.#advance();
		return record && recordOf(record);
	}

	/** Hands on the lines of all records before this path (undefined: of all that are left), and passes over that path itself. */
	passTo(raw: string | undefined, take: (line: string) => void): FileRecord | undefined {
		for (; this.#current && (raw === undefined || comesBefore(this.#current.raw, raw)); this.#advance())
			take(this.#current.line);
		return this.#current && this.#current.raw === raw ? this.next() : undefined;
	}

	close(): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
	}

	#advance(): void {
		const line = this.#line();
		const isWhole = line !== undefined && line.split("\t", 4).length === 3;
		this.#current = isWhole ? { line, raw: unescaped(line.slice(0, line.indexOf("\t"))) } : undefined;
	}

	#line(): string | undefined {
		while (this.#next >= this.#lines.length) {
			const read = this.#fd === undefined ? 0 : readSync(this.#fd, this.#buffer, 0, block, null);
			// What no newline ends was cut off.
			if (read === 0) return undefined;
			this.#lines = (this.#rest + this.#buffer.toString("latin1", 0, read)).split("\n");
			this.#rest = this.#lines.pop() as string;
			this.#next = 0;
		}
		return this.#lines[this.#next++];
	}
}

function recordOf({ line, raw }: { readonly line: string; readonly raw: string }): FileRecord {
	const [, signature, pieces] = line.split("\t") as [string, string, string];
	return { raw, signature, pieces };
}

const escaped = (raw: string) => (/[%\t\n]/.test(raw) ? raw.replaceAll(/[%\t\n]/g, encodeURIComponent) : raw);
const unescaped = (text: string) =>
	text.includes("%")
		? text.replaceAll(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
		: text;
