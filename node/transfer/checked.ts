import { createHash, hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { checkEntry, longestLine } from "#protocol/migration/entry.ts";
import { Problem } from "#protocol/problem.ts";
import { type Entry, pieceSize } from "../volumes/volume.ts";
import type { Manifest, ManifestVolume } from "./inventory.ts";
import { Lines } from "./lines.ts";

/** How much the target takes, of all volumes together. */
export interface Limits {
	readonly bytes: number;
	readonly entries: number;
}

/** What an entry's line may have on average besides its pieces, and what a piece adds to it. */
const mostAverage = 1024;
const bytesOfPiece = 46;
const lineLeast = 48;

/** Lists may be longer by this than all that they list: many empty files are something too. */
const listsBesides = 64 * 1024 * 1024;

/**
 * Whether a manifest promises what fits, before anything of it is fetched. Throws `copy-too-large`, or `copy-refused` for
 * one that contradicts itself.
 */
export function checkManifest({ volumes }: Manifest, limits: Limits): void {
	const sum = (part: "bytes" | "entries") => volumes.reduce((all, volume) => all + volume[part], 0);
	for (const what of ["bytes", "entries"] as const)
		if (sum(what) > limits[what]) throw new Problem("copy-too-large", { what, wanted: sum(what), limit: limits[what] });
	// Lists are kept on the same disk, and are no way round what was agreed.
	const length = volumes.reduce((all, volume) => all + volume.length, 0);
	const longestLists = limits.bytes + listsBesides;
	if (length > longestLists)
		throw new Problem("copy-too-large", { what: "bytes of lists", wanted: length, limit: longestLists });
	const names = new Set(volumes.map(({ service, name }) => `${service}/${name}`));
	if (names.size < volumes.length) throw refused("it names a volume twice");
	for (const { length, bytes, entries } of volumes) {
		const most = entries * mostAverage + (entries + bytes / pieceSize) * bytesOfPiece + longestLine;
		if (length > most || length < entries * lineLeast) throw refused("a listing's length does not fit its entries");
	}
}

const refused = (reason: string) => new Problem("copy-refused", { reason });

/** Whether a file has the listing's length and hash. */
export async function isListing(file: string, { listing, length }: ManifestVolume): Promise<boolean> {
	const sum = createHash("sha256");
	let bytes = 0;
	for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
		sum.update(chunk);
		bytes += chunk.length;
	}
	return bytes === length && sum.digest("base64url") === listing;
}

/**
 * Throws `copy-refused` unless each line is a valid entry, after its folder or what it is another name of, and all of them
 * are as many and as large as the manifest says.
 */
export async function checkListing(file: string, volume: ManifestVolume): Promise<void> {
	const lines = new Lines(file, longestLine);
	const seen = new Seen(volume.entries);
	let bytes = 0;
	try {
		for (let line = lines.next(); line; line = lines.next()) {
			if (lines.at > volume.entries) break;
			const entry = checkEntry(line.toString(), volume.kind);
			checkPlace(entry, volume, seen);
			bytes += entry.size;
			// Others want to be served while a long listing is read.
			if (lines.at % 1000 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
		}
		if (lines.at !== volume.entries || bytes !== volume.bytes) throw refused("it holds more or less than announced");
		if (lines.isTorn) throw refused("its last line is cut off");
	} finally {
		lines.close();
	}
}

/** In trees everything lies in a folder listed before; nowhere is there a second entry by the same path. */
function checkPlace({ path, type, target }: Entry, { kind }: ManifestVolume, seen: Seen): void {
	const slash = path.lastIndexOf("/");
	if (kind === "directory" && slash >= 0 && seen.get(path.slice(0, slash)) !== "folder")
		throw refused(`${path} is listed without its folder`);
	if (type === "hardlink" && seen.get(target ?? "") !== "file") throw refused(`${path} is another name of nothing`);
	if (!seen.add(path, type === "folder" || type === "hardlink" ? type : "file"))
		throw refused(`${path} is listed twice`);
}

type Sort = "folder" | "file" | "hardlink";
const sorts: readonly (Sort | undefined)[] = [undefined, "folder", "file", "hardlink"];

/** Paths by the first 64 bits of their SHA-256, since a million of them as text would take too much memory. */
class Seen {
	readonly #keys: Uint32Array;
	readonly #sorts: Uint8Array;
	readonly #mask: number;

	constructor(entries: number) {
		const size = 2 ** Math.ceil(Math.log2(Math.max(entries, 8) * 1.5));
		this.#keys = new Uint32Array(size * 2);
		this.#sorts = new Uint8Array(size);
		this.#mask = size - 1;
	}

	get(path: string): Sort | undefined {
		return sorts[this.#sorts[this.#find(path)] ?? 0];
	}

	/** False if it was there. */
	add(path: string, sort: Sort): boolean {
		const at = this.#find(path);
		if (this.#sorts[at] !== 0) return false;
		this.#sorts[at] = sorts.indexOf(sort);
		return true;
	}

	/** Where it is, or the free place where it belongs, with its key written there. */
	#find(path: string): number {
		const sum = hash("sha256", path, "buffer");
		const [high, low] = [sum.readUInt32LE(0), sum.readUInt32LE(4)];
		let at = low & this.#mask;
		while (this.#sorts[at] !== 0 && (this.#keys[at * 2] !== high || this.#keys[at * 2 + 1] !== low))
			at = (at + 1) & this.#mask;
		if (this.#sorts[at] === 0) this.#keys.set([high, low], at * 2);
		return at;
	}
}
