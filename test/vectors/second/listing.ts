/** Listings, differences of them, and what is asked for by them: sections 7 and 8. */
import { fromBase64url, fromCanonical, type Members, refuse } from "./bytes.ts";

const types: Readonly<Record<string, readonly string[]>> = {
	...{ directory: ["file", "folder", "symlink", "hardlink"], sqlite: ["file", "dump"], postgres: ["dump"] },
	...{ bucket: ["object"], secret: [] },
};
const members: Readonly<Record<string, readonly string[]>> = {
	...{
		file: ["mode", "modified"],
		folder: ["mode", "modified"],
		symlink: ["modified", "target"],
		hardlink: ["target"],
	},
	...{ dump: ["meta"], object: ["meta"] },
};

/** Throws for a line that is no entry of such a volume. */
export function checkLine(kind: string, line: string): void {
	const entry = fromCanonical(line) as Members;
	const { path, type, size, pieces, mode, modified, target, meta } = entry;
	const must = (holds: boolean) => holds || refuse(`not an entry: ${line}`);
	must(types[kind]?.includes(String(type)) === true);
	const may = ["path", "pieces", "size", "type", ...(members[String(type)] ?? [])];
	must(Object.keys(entry).every((name) => may.includes(name)));
	must(Number.isSafeInteger(size) && (size as number) >= 0);
	must(size === 0 || type === "file" || type === "dump" || type === "object");
	must(Array.isArray(pieces) && pieces.length === Math.ceil((size as number) / 262_144));
	for (const piece of pieces as string[]) must(piece.length === 43 && fromBase64url(piece).length === 32);
	must(mode === undefined || (Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= 4095));
	must(modified === undefined || /^(0|-?[1-9]\d{0,18})$/.test(String(modified)));
	const names = type === "object" ? undefined : partsOf(String(path));
	if (names === undefined) checkKey(String(path));
	if (type === "hardlink") must(target !== path && partsOf(String(target)).length > 0);
	if (type === "symlink") checkLink(String(target), (names?.length ?? 1) - 1);
	if (meta !== undefined) {
		const texts = Object.entries(meta as Members);
		must(typeof meta === "object" && texts.every(([, text]) => typeof text === "string"));
		must(texts.reduce((sum, [name, text]) => sum + name.length + String(text).length, 0) <= 65_536);
	}
}

/** A name's bytes; throws for another spelling than the one. */
function bytesOf(name: string): Buffer {
	if (!name.isWellFormed()) refuse("half a surrogate pair");
	const parts = name.split(/(%[0-9A-F]{2})/).filter((part) => part !== "");
	if (parts.some((part) => part.includes("%") && part.length !== 3)) refuse("a bare %");
	const bytes = Buffer.concat(
		parts.map((part) => (part.startsWith("%") ? Buffer.from(part.slice(1), "hex") : Buffer.from(part))),
	);
	if (bytes.includes(0) || spelled(bytes) !== name) refuse("another spelling");
	return bytes;
}

/** UTF-8 as it is, `%25`, and `%XX` for what is no UTF-8. */
function spelled(bytes: Buffer): string {
	let text = "";
	for (let at = 0; at < bytes.length; ) {
		const length = [1, 2, 3, 4].find((one) => at + one <= bytes.length && isCharacter(bytes.subarray(at, at + one)));
		const isPlain = length !== undefined && bytes[at] !== 0x25;
		const part = bytes.subarray(at, at + (isPlain ? length : 1));
		text += isPlain ? part.toString() : `%${part.toString("hex").toUpperCase()}`;
		at += part.length;
	}
	return text;
}

function isCharacter(bytes: Buffer): boolean {
	try {
		return [...new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)].length === 1;
	} catch {
		return false;
	}
}

function partsOf(path: string): string[] {
	if (bytesOf(path).length > 4096) refuse("too long");
	const parts = path.split("/");
	for (const part of parts) {
		const { length } = bytesOf(part);
		if (length === 0 || length > 255 || part === "." || part === "..") refuse("not a way inside");
	}
	return parts;
}

function checkLink(text: string, folders: number): void {
	if (text === "" || text.startsWith("/") || bytesOf(text).length > 4096) refuse("a link that leads out");
	const parts = text.split("/");
	const ups = parts.findIndex((part) => part !== "..");
	if ((ups < 0 ? parts.length : ups) > folders || parts.lastIndexOf("..") > ups - 1 + (ups < 0 ? parts.length + 1 : 0))
		refuse("a link that leads out");
}

function unescaped(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		return refuse("no key");
	}
}

function checkKey(path: string): void {
	const key = unescaped(path);
	const parts = key.split("/");
	const isDots = (part: string) => part === "." || part === "..";
	const escaped = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
	const written = parts.map((part) => {
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
		return isDots(part) ? part.replaceAll(".", "%2E") : part.replaceAll(/[%\0-\x1f\x7f]/g, escaped);
	});
	// A slash that begins or ends the key, or follows another one.
	let text = written[0] ?? "";
	for (let at = 1; at < written.length; at++) {
		const isFirst = at === 1 && parts[0] === "";
		const follows = parts[at - 1] === "";
		const isLast = at === written.length - 1 && parts[at] === "";
		text += `${isFirst || follows || isLast ? "%2F" : "/"}${written[at]}`;
	}
	if (key === "" || Buffer.byteLength(key) > 1024 || text !== path) refuse("no key");
}

/** The newer listing of an older one and the difference. */
export function applied(older: string, difference: string): string {
	const before = older.split("\n").slice(0, -1);
	let next = 0;
	const lines = difference
		.split("\n")
		.slice(0, -1)
		.flatMap((line) => {
			const [, first, count] = /^\[(\d+),(\d+)\]$/.exec(line) ?? [];
			if (first === undefined) return line.startsWith("[") ? refuse("no such lines") : [line];
			const [from, to] = [Number(first), Number(first) + Number(count)];
			if (from < next || to > before.length) refuse("lines that are not there");
			next = to;
			return before.slice(from, to);
		});
	return lines.map((line) => `${line}\n`).join("");
}

export interface Run {
	readonly line: number;
	readonly first: number;
	readonly count: number;
}

/** What a request for pieces asks for. */
export function readRequest(bytes: Buffer): { listing: string; runs: Run[] } {
	if (bytes.length < 48 || bytes.length > 1024 * 1024) refuse("no request");
	const numbers: number[] = [];
	let [value, factor] = [0, 1];
	for (const byte of bytes.subarray(48)) {
		value += (byte & 127) * factor;
		if (value >= 2 ** 32) refuse("too large a number");
		factor *= 128;
		if (byte < 128) {
			numbers.push(value);
			[value, factor] = [0, 1];
		}
	}
	if (factor > 1 || numbers.length % 3 > 0 || numbers.length > 3 * 65_536) refuse("torn");
	const runs: Run[] = [];
	let [line, free] = [0, 0];
	for (let at = 0; at < numbers.length; at += 3) {
		const [step = 0, first = 0, count = 0] = numbers.slice(at, at + 3);
		if (step > 0) free = 0;
		if (first < free || count === 0) refuse("not ascending");
		line += step;
		free = first + count;
		runs.push({ line, first, count });
	}
	return { listing: bytes.subarray(16, 48).toString("base64url"), runs };
}
