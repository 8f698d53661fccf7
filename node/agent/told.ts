import { existsSync, renameSync, rmSync } from "node:fs";
import { applyDifference, writeDifference } from "../transfer/difference.ts";
import type { Entry } from "../volumes/volume.ts";
import { blocksIn, keptIn, type ListingFiles } from "./listing-files.ts";
import { blocksOf } from "./pieces.ts";

/** What was listed, at the end. */
export interface Told {
	readonly digest: string;
	/** What was sent is the difference from this older one; null: it is all lines. */
	readonly base: string | null;
}

/**
 * Keeps what is listed in a file, and sends it as it comes; or afterwards its difference from the older listing `base`,
 * where that is here.
 */
export async function tell(
	files: ListingFiles,
	base: string | null,
	batches: AsyncIterable<readonly Entry[]>,
	send: (block: Buffer) => Promise<void>,
): Promise<Told> {
	const older = base !== null && files.has(base) ? base : null;
	const part = files.part();
	await keptIn(part, older === null ? passed(blocksOf(batches), send) : blocksOf(batches));
	const digest = files.named(part);
	files.keep(digest, ...(older === null ? [] : [older]));
	if (older !== null && older !== digest) await sendDifference(files, older, digest, send);
	return { digest, base: older };
}

async function* passed(blocks: AsyncIterable<Buffer>, send: (block: Buffer) => Promise<void>): AsyncGenerator<Buffer> {
	for await (const block of blocks) {
		yield block;
		await send(block);
	}
}

async function sendDifference(
	files: ListingFiles,
	older: string,
	digest: string,
	send: (block: Buffer) => Promise<void>,
): Promise<void> {
	const file = files.part("difference");
	try {
		await writeDifference(files.file(older), files.file(digest), file);
		for (const block of blocksIn(file)) await send(block);
	} finally {
		rmSync(file, { force: true });
	}
}

/** The listing of what has come into the file `part`; false: what is here is not what it was told by, and is gone. */
export async function hear(files: ListingFiles, part: string, { digest, base }: Told): Promise<boolean> {
	const made = base === null ? part : await applied(files, base, part, digest);
	const isRight = made === undefined ? base === digest : files.named(made) === digest;
	rmSync(part, { force: true });
	files.keep(isRight ? digest : "");
	return isRight;
}

/** Undefined: there is nothing to apply. */
async function applied(files: ListingFiles, base: string, part: string, digest: string): Promise<string | undefined> {
	if (digest === base || !existsSync(files.file(base))) return undefined;
	const made = files.part("applied");
	await applyDifference(files.file(base), part, made, Number.POSITIVE_INFINITY);
	renameSync(made, part);
	return part;
}
