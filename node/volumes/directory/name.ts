/**
 * Names as the file system has them are bytes. Here such a path is a string with one character for each byte ("raw"), so
 * that it compares, splits and joins like any other; a listing has it as text.
 */
import { isUtf8 } from "node:buffer";
import { Problem } from "#protocol/problem.ts";

const special = /[%\x80-\uffff]/;
const nameLimit = 255;
const pathLimit = 4096;

/** A raw path as text: UTF-8 where it is that, and `%XX` for `%` and every other byte. */
export function textOf(raw: string): string {
	if (!special.test(raw)) return raw;
	const bytes = Buffer.from(raw, "latin1");
	let text = "";
	for (let at = 0; at < bytes.length; ) {
		const length = lengthOfCharacter(bytes, at);
		text += length === 0 ? escaped(bytes[at] as number) : bytes.toString("utf8", at, at + length);
		at += length || 1;
	}
	return text;
}

function lengthOfCharacter(bytes: Buffer, at: number): number {
	const first = bytes[at] as number;
	if (first < 0x80) return first === 0x25 ? 0 : 1;
	const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

const escaped = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/** The raw form of such a text. Not its only one is refused: two texts may not mean the same file. */
export function rawOf(text: string): string {
	if (!special.test(text)) return text;
	const parts = text.split(/%([0-9A-F]{2})/);
	const raw = parts
		.map((part, index) =>
			index % 2 ? String.fromCharCode(Number.parseInt(part, 16)) : Buffer.from(part).toString("latin1"),
		)
		.join("");
	if (textOf(raw) !== text) throw unfit(text, "its name is not written as it should be");
	return raw;
}

/** The raw path of an entry, if it is one that stays inside the tree. `inside`: a folder whose path was checked before. */
export function rawPathOf(path: string, inside = ""): string {
	const raw = rawOf(path);
	if (raw.length > pathLimit) throw unfit(path, "its path is too long");
	const isInside = inside !== "" && raw.startsWith(inside) && raw.charCodeAt(inside.length) === slash;
	for (const part of (isInside ? raw.slice(inside.length + 1) : raw).split("/"))
		if (part === "" || part === "." || part === ".." || part.length > nameLimit || part.includes("\0"))
			throw unfit(path, "its path does not stay inside");
	return raw;
}

/** Whether the first of two raw paths comes first in a listing: names by their bytes, a folder right before what is in it. */
export function comesBefore(one: string, other: string): boolean {
	const length = Math.min(one.length, other.length);
	for (let at = 0; at < length; at++) {
		const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
		if (a !== b) return b !== slash && (a === slash || a < b);
	}
	return one.length < other.length;
}

const slash = 0x2f;

/** The folder that a raw path lies in; empty: the tree's own. */
export const folderOf = (raw: string) => raw.slice(0, Math.max(raw.lastIndexOf("/"), 0));

export const nameOf = (raw: string) => raw.slice(raw.lastIndexOf("/") + 1);

/** What the file system takes for this name in the folder of that prefix. */
export function at(prefix: string, raw: string): string | Buffer {
	return /[\x80-\xff]/.test(raw) ? Buffer.concat([Buffer.from(prefix), Buffer.from(raw, "latin1")]) : prefix + raw;
}

/**
 * Refuses a symlink that could lead out of its tree. `..` only at the start: after the name of another symlink it would
 * not lead where it seems to.
 */
export function checkSymlink(raw: string, text: string): void {
	const parts = text.split("/");
	const ups = parts.findIndex((part) => part !== "..");
	const rest = ups < 0 ? [] : parts.slice(ups);
	const depth = raw.split("/").length - 1;
	if (text === "" || text.startsWith("/") || text.includes("\0") || text.length > pathLimit)
		throw unfit(textOf(raw), "it is a link that leads out of its folder");
	if (rest.includes("..") || (ups < 0 ? parts.length : ups) > depth)
		throw unfit(textOf(raw), "it is a link that leads out of its folder");
}

export const unfit = (path: string, reason: string) => new Problem("volume-unfit", { path, reason });

/** Runs what opens or reads this, and says which it was if the node may not. */
export function permitted<Result>(raw: string, work: () => Result): Result {
	try {
		return work();
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
		throw unfit(textOf(raw), "the node may not read it");
	}
}
