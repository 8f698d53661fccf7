import { unfit } from "./key.ts";

/** What an object has besides content, by the names of its headers in lower case; values one character a byte. */
export type Meta = Readonly<Record<string, string>>;

const standing = new Set([
	...["cache-control", "content-disposition", "content-encoding", "content-language", "content-type"],
	...["expires", "x-amz-website-redirect-location"],
]);
const ofUsers = /^x-amz-meta-[!#$%&'*+.^_`|~0-9a-z-]+$/;
const value = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** S3 takes 2 KB of the user's and 8 KB of headers altogether. */
const most = 8192;

/** What of an answer's headers belongs to the object, in the order of its names. */
export function metaOf(headers: Readonly<Record<string, string | string[] | undefined>>): Meta {
	const own = Object.entries(headers).filter(([name]) => belongs(name));
	const texts = own.map(([name, text]) => [name, Array.isArray(text) ? text.join(",") : (text ?? "")] as const);
	return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same, of an entry that somebody else has written. Throws `volume-unfit` for headers that mean something else. */
export function checkedMeta(path: string, meta: Meta = {}): Meta {
	const pairs = Object.entries(meta);
	const strange = pairs.find(([name, text]) => !belongs(name) || !value.test(text));
	if (strange) throw unfit(path, `an object cannot have ${JSON.stringify(strange[0].slice(0, 100))}`);
	if (pairs.reduce((sum, [name, text]) => sum + name.length + text.length, 0) > most)
		throw unfit(path, `it has more than ${most} bytes of metadata`);
	return metaOf(meta);
}

/** One text for the same metadata, to compare and to keep. */
export function metaText(meta: Meta): string {
	return JSON.stringify(meta);
}

function belongs(name: string): boolean {
	return standing.has(name) || ofUsers.test(name);
}
