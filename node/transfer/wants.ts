import { randomBytes } from "node:crypto";
import { Problem } from "#protocol/problem.ts";

/** Consecutive pieces of the entry on one line of a listing, both counted from 0. */
export interface Want {
	readonly line: number;
	readonly first: number;
	readonly count: number;
}

/** Wants in one request; what is more goes into the next one. */
export const mostWants = 65_536;
/** A request is never longer, in bytes. */
export const mostRequestBytes = 1024 * 1024;

const nonceSize = 16;
const headSize = nonceSize + 32;
const mostNumber = 2 ** 32;

/**
 * What a target asks for: 16 random bytes, so that no stream answers two requests; the listing's SHA-256; then for each
 * want the lines since the one before it, its first piece and how many, each as LEB128. Wants must ascend.
 */
export function encodeRequest(listing: string, wants: Iterable<Want>): Buffer {
	let bytes = Buffer.allocUnsafe(4096);
	randomBytes(nonceSize).copy(bytes);
	Buffer.from(listing, "base64url").copy(bytes, nonceSize);
	let at = headSize;
	let line = 0;
	for (const want of wants) {
		if (at + 15 > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
		at = write(bytes, at, want.line - line);
		at = write(bytes, at, want.first);
		at = write(bytes, at, want.count);
		line = want.line;
	}
	return bytes.subarray(0, at);
}

/** A request as it came from somebody else; throws `not-valid` for what no target would send. */
export function decodeRequest(bytes: Uint8Array): { listing: string; wants: Want[] } {
	if (bytes.length > mostRequestBytes) throw new Problem("too-large", { limit: `${mostRequestBytes} bytes` });
	if (bytes.length < headSize) throw new Problem("not-valid");
	const numbers = read(bytes.subarray(headSize));
	if (numbers.length % 3 !== 0 || numbers.length > mostWants * 3) throw new Problem("not-valid");
	const listing = Buffer.from(bytes.subarray(nonceSize, headSize)).toString("base64url");
	return { listing, wants: ascending(numbers) };
}

function ascending(numbers: readonly number[]): Want[] {
	const wants: Want[] = [];
	let line = 0;
	let free = 0;
	for (let at = 0; at < numbers.length; at += 3) {
		const [lines = 0, first = 0, count = 0] = [numbers[at], numbers[at + 1], numbers[at + 2]];
		if (lines > 0) free = 0;
		line += lines;
		if (first < free || count === 0 || line >= mostNumber) throw new Problem("not-valid");
		free = first + count;
		wants.push({ line, first, count });
	}
	return wants;
}

/** How many pieces wants ask for. */
export function piecesOf(wants: readonly Want[]): number {
	return wants.reduce((sum, { count }) => sum + count, 0);
}

/** What is left of wants when their first pieces are done with. */
export function withoutFirst(wants: readonly Want[], pieces: number): Want[] {
	let left = pieces;
	const at = wants.findIndex(({ count }) => {
		if (left < count) return true;
		left -= count;
		return false;
	});
	const [head, ...rest] = at < 0 ? [] : wants.slice(at);
	return head ? [{ line: head.line, first: head.first + left, count: head.count - left }, ...rest] : [];
}

function write(bytes: Buffer, at: number, value: number): number {
	let left = value;
	while (left > 127) {
		bytes[at++] = (left % 128) | 128;
		left = Math.floor(left / 128);
	}
	bytes[at++] = left;
	return at;
}

function read(bytes: Uint8Array): number[] {
	const numbers: number[] = [];
	let value = 0;
	let factor = 1;
	for (const byte of bytes) {
		value += (byte & 127) * factor;
		if (value >= mostNumber) throw new Problem("not-valid");
		factor *= 128;
		if (byte & 128) continue;
		numbers.push(value);
		value = 0;
		factor = 1;
	}
	if (factor > 1) throw new Problem("not-valid");
	return numbers;
}
