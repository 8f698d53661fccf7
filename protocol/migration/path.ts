/**
 * How names that may be any bytes stand in listings, as text: UTF-8 as it is, `%25` for `%`, and `%XX` (capitals) for each
 * byte that is not UTF-8. Every name has exactly one such text.
 */
import { utf8 } from "./bytes.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: file names may have them
const plain = /^[\x01-\x24\x26-\x7f]*$/;
const longestPath = 4096;
const longestPart = 255;

/** Whether this is the path of something in a tree: relative, and without a way out of it. */
export function isTreePath(text: string): boolean {
	return text !== "" && isWritten(text) && text.split("/").every(isPart);
}

/**
 * Whether a symlink at this path may have this text: it is relative and stays inside. `..` may stand at the start only,
 * as often as folders lead to the link: behind a name, which may be a link itself, it would not lead where it seems to.
 */
export function isLinkText(path: string, text: string): boolean {
	if (text === "" || text.startsWith("/") || !isWritten(text)) return false;
	const parts = text.split("/");
	const steps = parts.findIndex((part) => part !== "..");
	const ups = steps < 0 ? parts.length : steps;
	return ups <= path.split("/").length - 1 && !parts.includes("..", ups);
}

/**
 * Whether this is the path of an object: its key, at most 1024 bytes of UTF-8, with `%XX` for `%`, for control characters,
 * for the dots of `.` and `..` as parts, and for slashes that begin or end the key or follow another.
 */
export function isKeyPath(text: string): boolean {
	const key = decodedKey(text);
	return key !== undefined && key !== "" && utf8(key).length <= 1024 && keyPath(key) === text;
}

function keyPath(key: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
	const visible = key.replaceAll(/[%\0-\x1f\x7f]/g, (character) => escaped(character.charCodeAt(0)));
	return visible
		.replaceAll(/(?<=^|\/)\.{1,2}(?=\/|$)/g, (dots) => dots.replaceAll(".", "%2E"))
		.replaceAll(/^\/|(?<=\/)\/|\/$/g, "%2F");
}

function decodedKey(text: string): string | undefined {
	if (!text.isWellFormed() || text.length > 4 * 1024) return undefined;
	try {
		return decodeURIComponent(text);
	} catch {
		return undefined;
	}
}

function isPart(part: string): boolean {
	return part !== "" && part !== "." && part !== ".." && (part.length <= 63 || bytesIn(part) <= longestPart);
}

/** Whether a text is how its bytes are written, and not longer than a path may be. */
function isWritten(text: string): boolean {
	if (plain.test(text)) return text.length <= longestPath;
	if (text.includes("\0") || text.length > longestPath * 3 || bytesIn(text) > longestPath) return false;
	return text.includes("%") ? fromBytes(toBytes(text)) === text : text.isWellFormed();
}

/** How many bytes a well written text stands for. */
function bytesIn(text: string): number {
	return utf8(text).length - 2 * (text.split("%").length - 1);
}

function toBytes(text: string): Uint8Array {
	const parts = text.split(/%([0-9A-F]{2})/);
	return Uint8Array.from(parts.flatMap((part, index) => (index % 2 ? [Number.parseInt(part, 16)] : [...utf8(part)])));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function fromBytes(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; ) {
		const length = bytes[at] === 0x25 ? 0 : lengthOfCharacter(bytes, at);
		text += length === 0 ? escaped(bytes[at] ?? 0) : decoder.decode(bytes.subarray(at, at + length));
		at += length || 1;
	}
	return text;
}

/** How many bytes the character here has; 0: there is none (RFC 3629 §4). */
function lengthOfCharacter(bytes: Uint8Array, at: number): number {
	const [first = 0, second = 0] = bytes.subarray(at, at + 2);
	if (first < 0x80) return 1;
	const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
	const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
	if (length === 0 || at + length > bytes.length || second < least || second > most) return 0;
	return bytes.subarray(at + 2, at + length).every((byte) => byte >> 6 === 2) ? length : 0;
}

function escaped(byte: number): string {
	return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
