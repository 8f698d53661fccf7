import { createHash } from "node:crypto";
import {
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileOf, keepOnly } from "../transfer/inventory.ts";
import { entryOf, Lines } from "../transfer/lines.ts";
import type { Entry } from "../volumes/volume.ts";

const named = /^([\w-]{43})\.ndjson$/;
const blockSize = 256 * 1024;

/** Listings of one volume in a folder, each by the SHA-256 of its lines, so that the other end of a line is told only what differs. */
export class ListingFiles {
	readonly #folder: string;

	/** Nothing is made before something is written. */
	constructor(folder: string) {
		this.#folder = folder;
	}

	file(digest: string): string {
		return fileOf(this.#folder, digest);
	}

	has(digest: string): boolean {
		return named.test(`${digest}.ndjson`) && existsSync(this.file(digest));
	}

	/** One that is here and is what its name says, also after a power cut; null: none is. Others are removed. */
	whole(): string | null {
		const names = existsSync(this.#folder) ? readdirSync(this.#folder) : [];
		const digests = names.flatMap((name) => named.exec(name)?.[1] ?? []);
		const whole = digests.find((digest) => digestOf(this.file(digest)) === digest) ?? null;
		if (digests.length > 0) this.keep(whole ?? "");
		return whole;
	}

	/** Where one is written that has no name yet. */
	part(name = "part"): string {
		mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
		return join(this.#folder, name);
	}

	/** Gives what was written its name, and answers that. */
	named(part: string): string {
		const digest = digestOf(part);
		renameSync(part, this.file(digest));
		return digest;
	}

	/** Removes all others. */
	keep(...digests: readonly string[]): void {
		keepOnly(this.#folder, new Set(digests));
	}
}

function digestOf(file: string): string {
	const hash = createHash("sha256");
	for (const block of blocksIn(file)) hash.update(block);
	return hash.digest("base64url");
}

/** What is in a file. Each block is good until the next one is asked for. */
export function* blocksIn(file: string): Generator<Buffer> {
	const fd = openSync(file, "r");
	const room = Buffer.allocUnsafe(blockSize);
	try {
		for (let read = readSync(fd, room); read > 0; read = readSync(fd, room)) yield room.subarray(0, read);
	} finally {
		closeSync(fd);
	}
}

/** Writes what comes into a file. */
export async function keptIn(file: string, blocks: AsyncIterable<Uint8Array>): Promise<void> {
	const fd = openSync(file, "w", 0o600);
	try {
		for await (const block of blocks) for (let at = 0; at < block.length; ) at += writeSync(fd, block, at);
	} catch (error) {
		rmSync(file, { force: true });
		throw error;
	} finally {
		closeSync(fd);
	}
}

const entriesAtOnce = 500;

/** The entries in such a file, whoever else wants to work meanwhile. */
export async function* entriesIn(file: string): AsyncGenerator<readonly Entry[]> {
	const lines = new Lines(file);
	try {
		for (let batch: Entry[] = []; ; batch = []) {
			for (let line = lines.next(); line; line = batch.length < entriesAtOnce ? lines.next() : undefined)
				batch.push(entryOf(line));
			if (batch.length === 0) return;
			yield batch;
			await new Promise<void>((resolve) => setImmediate(resolve));
		}
	} finally {
		lines.close();
	}
}
