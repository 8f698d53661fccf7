import { closeSync, openSync, writeSync } from "node:fs";
import { Lines, lineOf, pathOf } from "../transfer/lines.ts";
import { comesBefore, rawOf } from "../volumes/directory/name.ts";
import type { Change } from "../volumes/volume.ts";

const blockSize = 256 * 1024;
/** Others want to work while a long listing is read. */
const linesAtOnce = 4096;

/** Writes the listing of a tree that is otherwise than an older one in just this; both are in the order of a walk. */
export async function writeAmended(older: string, changes: readonly Change[], file: string): Promise<void> {
	const lines = new Lines(older);
	const writer = new Writer(file);
	const raws = changes.map(({ path }) => rawOf(path));
	let next = 0;
	const insertBefore = (raw: string | undefined) => {
		for (let one = changes[next]; one; one = changes[++next]) {
			if (raw !== undefined && !comesBefore(raws[next] ?? "", raw)) return;
			if (one.entry) writer.line(Buffer.from(lineOf(one.entry)));
		}
	};
	try {
		for (let line = lines.next(); line; line = lines.next()) {
			const path = pathOf(line);
			if (next < changes.length) insertBefore(rawOf(path));
			const change = changes[next]?.path === path ? changes[next++] : undefined;
			if (!change || change.isAround) writer.line(line);
			else if (change.entry) writer.line(Buffer.from(lineOf(change.entry)));
			if (lines.at % linesAtOnce === 0) await new Promise<void>((resolve) => setImmediate(resolve));
		}
		insertBefore(undefined);
		writer.end();
	} finally {
		lines.close();
		writer.close();
	}
}

/** Writes lines in blocks. */
class Writer {
	readonly #fd: number;
	readonly #block = Buffer.allocUnsafe(2 * blockSize);
	#used = 0;

	constructor(file: string) {
		this.#fd = openSync(file, "w", 0o600);
	}

	line(line: Buffer): void {
		if (this.#used + line.length >= this.#block.length) this.end();
		if (line.length >= this.#block.length) this.#write(line);
		else this.#used += line.copy(this.#block, this.#used);
		this.#block[this.#used++] = 0x0a;
	}

	end(): void {
		this.#write(this.#block.subarray(0, this.#used));
		this.#used = 0;
	}

	close(): void {
		closeSync(this.#fd);
	}

	#write(bytes: Buffer): void {
		for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
	}
}
