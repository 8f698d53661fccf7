import {
	closeSync,
	copyFileSync,
	mkdirSync,
	openSync,
	readSync,
	renameSync,
	rmSync,
	statSync,
	truncateSync,
} from "node:fs";
import { dirname } from "node:path";

/** A program's output, kept short: the file itself and a few older ones beside it (`.1` is the youngest). */
export interface LogLimits {
	readonly bytes: number;
	readonly files: number;
}

/** Opens it for a program to write to; readable for the node only. The caller closes the descriptor. */
export function openLog(file: string): number {
	mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
	return openSync(file, "a", 0o600);
}

/**
 * Puts what is there aside once it is too long. The running program keeps its descriptor, which is why the file is
 * copied and emptied rather than renamed; lines written between the two are lost. On a full
 * disk it is emptied without a copy, and the error is thrown.
 */
export function rotateLog(file: string, { bytes, files }: LogLimits): void {
	const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
	if (size <= bytes) return;
	for (let age = files - 1; age >= 1; age--) shift(`${file}.${age}`, `${file}.${age + 1}`);
	rmSync(`${file}.${files + 1}`, { force: true });
	try {
		copyFileSync(file, `${file}.1`);
	} finally {
		truncateSync(file);
	}
}

/** The last lines of a log, at most `bytes` of it. */
export function tailOf(file: string, bytes = 4000): string[] {
	const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
	if (size === 0) return [];
	const text = Buffer.alloc(Math.min(size, bytes));
	const descriptor = openSync(file, "r");
	try {
		readSync(descriptor, text, 0, text.length, size - text.length);
	} finally {
		closeSync(descriptor);
	}
	return text.toString("utf8").split("\n").filter(Boolean);
}

function shift(from: string, to: string) {
	if (statSync(from, { throwIfNoEntry: false })) renameSync(from, to);
}
