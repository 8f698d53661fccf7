import { createReadStream, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Problem } from "#protocol/problem.ts";
import { writeDifference } from "./difference.ts";
import { fileOf } from "./inventory.ts";

const digest = /^[\w-]{43}$/;

/**
 * A listing of this folder from one of its bytes on. With `base`, an older listing the asker has: the difference from it,
 * where that is known here, and the whole otherwise; the same again for every `from`, as long as the listing is kept.
 * Throws `not-found` for a listing that is not here.
 */
export async function readListing(folder: string, listing: string, from: number, base?: string): Promise<Readable> {
	if (!digest.test(listing) || !existsSync(fileOf(folder, listing))) throw new Problem("not-found");
	const file = base === undefined ? fileOf(folder, listing) : await differenceOf(folder, listing, base);
	// A stream refuses to begin where its file ends.
	return from < statSync(file).size
		? createReadStream(file, { start: from, highWaterMark: 256 * 1024 })
		: Readable.from([]);
}

async function differenceOf(folder: string, listing: string, base: string): Promise<string> {
	const file = join(folder, `${listing}.from.${digest.test(base) ? base : "nothing"}`);
	if (existsSync(file)) return file;
	if (base === listing || !digest.test(base) || !existsSync(fileOf(folder, base))) return fileOf(folder, listing);
	await writeDifference(fileOf(folder, base), fileOf(folder, listing), file);
	return file;
}
