import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { Lines } from "./lines.ts";

/**
 * A listing told as what differs from an older one that the other side has: in its order, lines of its own as they are,
 * and `[first,count]` for consecutive lines of the older one, which only go forwards. So a whole listing is one too.
 */

/**
 * How many lines of the older listing are looked through for a line of the newer one: few at first, and more with each one that
 * was not found, up to the most.
 */
const near = 64;
const sight = 4096;
const blockSize = 256 * 1024;

/** Writes the difference into `file`, which is there as a whole or not at all. A second call does it again. */
export async function writeDifference(older: string, newer: string, file: string): Promise<void> {
	const writer = new Writer(`${file}.new`);
	const [before, after] = [new Sight(older), new Lines(newer)];
	try {
		for (let line = after.next(); line; line = after.next()) {
			const at = before.find(line);
			if (at === undefined) writer.line(line.toString("latin1"));
			else writer.same(at);
			if (after.at % sight === 0) await new Promise<void>((resolve) => setImmediate(resolve));
		}
		writer.end();
		renameSync(`${file}.new`, file);
	} finally {
		before.close();
		after.close();
		writer.close();
		rmSync(`${file}.new`, { force: true });
	}
}

/** Makes the newer listing of its difference from the older one. False if that gives more than `length` bytes or makes no sense. */
export async function applyDifference(older: string, difference: string, file: string, length: number) {
	const writer = new Writer(file);
	const [before, lines] = [new Lines(older), new Lines(difference)];
	try {
		for (let line = lines.next(); line; line = lines.next()) {
			if (line[0] !== 0x5b) writer.line(line.toString("latin1"));
			else if (!copied(before, line, writer, length)) return false;
			if (writer.length > length) return false;
			if (lines.at % sight === 0) await new Promise<void>((resolve) => setImmediate(resolve));
		}
		writer.end();
		return !lines.isTorn;
	} finally {
		before.close();
		lines.close();
		writer.close();
	}
}

function copied(before: Lines, line: Buffer, writer: Writer, length: number): boolean {
	const match = /^\[(\d{1,10}),(\d{1,10})\]$/.exec(line.toString("latin1"));
	if (!match || Number(match[1]) < before.at) return false;
	for (let at = Number(match[1]), stop = at + Number(match[2]); at < stop; at++) {
		const same = before.line(at);
		if (!same || writer.length > length) return false;
		writer.line(same.toString("latin1"));
	}
	return true;
}

/** The next lines of the older listing, to be found by what they say. */
class Sight {
	readonly #lines: Lines;
	readonly #ahead = new Map<string, number>();
	#ended = false;
	#sight = near;

	constructor(file: string) {
		this.#lines = new Lines(file);
	}

	/** Its number, once: it and those before it are behind us then. */
	find(line: Buffer): number | undefined {
		if (this.#ahead.size === 0 && this.#isNext(line)) return this.#lines.at - 1;
		const text = line.toString("latin1");
		if (!this.#ahead.has(text)) this.#look();
		const at = this.#ahead.get(text);
		this.#sight = at === undefined ? Math.min(sight, this.#sight * 2) : near;
		if (at === undefined) return undefined;
		for (const [line, number] of this.#ahead) {
			if (number > at) break;
			this.#ahead.delete(line);
		}
		return at;
	}

	/** Most lines are the same as before. */
	#isNext(line: Buffer): boolean {
		const next = this.#ended ? undefined : this.#lines.next();
		if (!next) this.#ended = true;
		else if (next.equals(line)) return true;
		else this.#see(next.toString("latin1"), this.#lines.at - 1);
		return false;
	}

	close(): void {
		this.#lines.close();
	}

	/** In the order of their numbers, also when a line comes twice, which an honest listing's do not. */
	#see(text: string, at: number): void {
		this.#ahead.delete(text);
		this.#ahead.set(text, at);
	}

	#look(): void {
		while (!this.#ended && this.#ahead.size < this.#sight) {
			const line = this.#lines.next();
			if (line) this.#see(line.toString("latin1"), this.#lines.at - 1);
			else this.#ended = true;
		}
	}
}

/** Writes lines in blocks; consecutive lines of the older listing become one line here. Text is bytes (latin1). */
class Writer {
	readonly #fd: number;
	#block = "";
	#first = 0;
	#count = 0;
	length = 0;

	constructor(file: string) {
		this.#fd = openSync(file, "w", 0o600);
	}

	line(text: string): void {
		if (this.#count > 0) this.#endRun();
		this.#write(`${text}\n`);
	}

	same(at: number): void {
		if (at !== this.#first + this.#count) this.#endRun();
		if (this.#count === 0) this.#first = at;
		this.#count++;
	}

	end(): void {
		this.#endRun();
		this.#flush();
	}

	close(): void {
		closeSync(this.#fd);
	}

	#endRun(): void {
		if (this.#count > 0) this.#write(`[${this.#first},${this.#count}]\n`);
		this.#count = 0;
	}

	#write(text: string): void {
		this.#block += text;
		this.length += text.length;
		if (this.#block.length > blockSize) this.#flush();
	}

	#flush(): void {
		const bytes = Buffer.from(this.#block, "latin1");
		this.#block = "";
		for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
	}
}
