import { Problem } from "#protocol/problem.ts";

/** An S3 key has at most this many bytes of UTF-8. */
const longest = 1024;

/**
 * The path of an entry for a key. `%`, control characters, and whatever would make a path absolute, ambiguous or lead
 * out of its folder (empty parts, `.` and `..`) stand as `%XX`: `/a//b` is `%2Fa/%2Fb`.
 */
export function pathOf(key: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
	const plain = key.replaceAll(/[%\u0000-\u001f\u007f]/g, escapedByte);
	return plain
		.replaceAll(/(?<=^|\/)\.{1,2}(?=\/|$)/g, (dots) => dots.replaceAll(".", "%2E"))
		.replaceAll(/^\/|(?<=\/)\/|\/$/g, "%2F");
}

/** The key for an entry's path. Throws `volume-unfit` for what `pathOf` would not have written or S3 cannot keep. */
export function keyOf(path: string): string {
	const key = decoded(path);
	if (key === undefined || pathOf(key) !== path) throw unfit(path, "its name is not written as it should be");
	const bytes = Buffer.byteLength(key);
	if (bytes === 0 || bytes > longest || !key.isWellFormed())
		throw unfit(path, `a key has 1 to ${longest} bytes of UTF-8`);
	return key;
}

export function unfit(path: string, reason: string): Problem {
	return new Problem("volume-unfit", { path, reason });
}

function escapedByte(character: string): string {
	return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function decoded(path: string): string | undefined {
	try {
		return decodeURIComponent(path);
	} catch {
		return undefined;
	}
}
