/** One line of a listing, as a peer has written it: what is checked before anything of it is used. */

import type { z } from "zod";
import { Problem } from "../problem.ts";
import type { Manifest } from "./messages.ts";
import { isKeyPath, isLinkText, isTreePath } from "./path.ts";

export type VolumeKind = z.infer<typeof Manifest>["volumes"][number]["kind"];

/** The same as node/volumes/volume.ts calls an entry. */
export interface Entry {
	readonly path: string;
	readonly type: "file" | "folder" | "symlink" | "hardlink" | "object" | "dump";
	readonly size: number;
	readonly pieces: readonly string[];
	readonly mode?: number;
	readonly modified?: string;
	readonly target?: string;
	readonly meta?: Readonly<Record<string, string>>;
}

/** Content is cut into pieces of this many bytes; the last one may be shorter. */
export const pieceSize = 256 * 1024;

/** Bytes of a line: enough for content of 180 GiB. */
export const longestLine = 32 * 1024 * 1024;

/** What each type may have besides path, type, size and pieces. */
const members: Record<Entry["type"], readonly (keyof Entry)[]> = {
	file: ["mode", "modified"],
	folder: ["mode", "modified"],
	symlink: ["target", "modified"],
	hardlink: ["target"],
	object: ["meta"],
	dump: ["meta"],
};

const typesIn: Record<VolumeKind, readonly Entry["type"][]> = {
	directory: ["file", "folder", "symlink", "hardlink"],
	sqlite: ["file", "dump"],
	postgres: ["dump"],
	bucket: ["object"],
	// Values of secrets travel in `move` alone.
	secret: [],
};

/**
 * The entry on this line (without its line feed) of a listing of such a volume. Throws a Problem `copy-refused` for what is
 * not the canonical JSON of an entry that keeps every rule. Whether its folder, or what it is another name of, was listed
 * before, and that nothing is listed twice, is for who reads the whole listing.
 */
export function checkEntry(line: string, kind: VolumeKind): Entry {
	const entry = decoded(line);
	const wrong = mistakeIn(entry, kind);
	if (wrong) throw refused(wrong, entry.path);
	if (written(entry) !== line) throw refused("it is not written as it must be", entry.path);
	return entry;
}

function decoded(line: string): Entry {
	if (line.length > longestLine) throw refused("a line is too long");
	try {
		const value = JSON.parse(line) as Entry | null;
		if (typeof value === "object" && value !== null && typeof value.path === "string") return value;
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	throw refused("a line is no entry");
}

/** Canonical JSON (RFC 8785) of an entry, many times quicker than the general way. Other members are left out. */
function written({ meta, mode, modified, path, pieces, size, target, type }: Entry): string {
	return JSON.stringify({ meta: meta && sorted(meta), mode, modified, path, pieces, size, target, type });
}

function sorted(meta: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(meta).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function mistakeIn(entry: Entry, kind: VolumeKind): string | undefined {
	const { type, path } = entry;
	if (!Object.hasOwn(typesIn, kind) || !typesIn[kind].includes(type)) return `a ${kind} has no such entry`;
	if (!(type === "object" ? isKeyPath(path) : isTreePath(path))) return "its path is not a way inside the volume";
	return mistakeInContent(entry) ?? mistakeInMembers(entry);
}

/** BLAKE3 in base64url: 43 letters, the last of which has two bits to spare. */
const digest = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

function mistakeInContent({ type, size, pieces }: Entry): string | undefined {
	if (!Number.isSafeInteger(size) || size < 0) return "its size is no number of bytes";
	if (size > 0 && (type === "folder" || type === "symlink" || type === "hardlink")) return `a ${type} has no content`;
	if (!Array.isArray(pieces) || pieces.length !== Math.ceil(size / pieceSize)) return "its pieces do not fit its size";
	for (const piece of pieces) if (typeof piece !== "string" || !digest.test(piece)) return "a piece has no such name";
}

function mistakeInMembers(entry: Entry): string | undefined {
	const { path, type, mode, modified, target, meta } = entry;
	for (const member of ["mode", "modified", "target", "meta"] as const)
		if (entry[member] !== undefined && !members[type].includes(member)) return `a ${type} has no ${member}`;
	if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) return "its mode is none";
	if (modified !== undefined && !(typeof modified === "string" && /^(0|-?[1-9]\d{0,18})$/.test(modified)))
		return "its time is none";
	if (type === "symlink" && !(typeof target === "string" && isLinkText(path, target)))
		return "it is a link that leads out of the volume";
	if (type === "hardlink" && !(typeof target === "string" && isTreePath(target) && target !== path))
		return "it is another name of nothing";
	if (meta !== undefined && !isMeta(meta)) return "what belongs to it is too much, or not text";
}

function isMeta(meta: unknown): boolean {
	if (typeof meta !== "object" || meta === null || Array.isArray(meta)) return false;
	const pairs = Object.entries(meta);
	const isText = pairs.every(([name, text]) => name.isWellFormed() && typeof text === "string" && text.isWellFormed());
	return isText && pairs.reduce((sum, [name, text]) => sum + name.length + (text as string).length, 0) <= 64 * 1024;
}

function refused(reason: string, path?: string): Problem {
	return new Problem("copy-refused", { reason: path === undefined ? reason : `${path.slice(0, 200)}: ${reason}` });
}
