import { createHash } from "node:crypto";
import {
	closeSync,
	existsSync,
	fdatasyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import type { Manifest as ManifestSchema } from "#protocol/migration/messages.ts";
import type { Entry, Source, VolumeKind } from "../volumes/volume.ts";
import { onDisk } from "./disk.ts";
import { lineOf } from "./lines.ts";
import { sideBySide } from "./side-by-side.ts";

export type Manifest = z.infer<typeof ManifestSchema>;
export type ManifestVolume = Manifest["volumes"][number];

/** One end of a volume at the node that gives it away. */
export interface Giving {
	readonly service: string;
	readonly name: string;
	readonly kind: VolumeKind;
	readonly source: Source;
}

export interface InventoryOptions {
	readonly sources: readonly Giving[];
	readonly round: number;
	/** Nobody writes any more. */
	readonly final: boolean;
	/** Where listings are kept, a file each; nothing else may lie there. */
	readonly folder: string;
	readonly signal: AbortSignal;
	/** What was listed so far, of all volumes. */
	progress?(entries: number, bytes: number): void;
}

const blockSize = 256 * 1024;

/**
 * Lists every volume into a file of its own, several at once, one entry a line, and answers the manifest that names them. While services
 * write, databases come first: what a row refers to was there before the row, and so it is listed too. A second call lists anew. Listings of earlier rounds stay, since the next one is told as a difference from them, until there are
 * two newer ones.
 */
export async function takeInventory(options: InventoryOptions): Promise<Manifest> {
	return onDisk(options.folder, () => inventory(options));
}

async function inventory(options: InventoryOptions): Promise<Manifest> {
	const { round, final, sources, folder } = options;
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const sum = { entries: 0, bytes: 0 };
	const seen = (entries: number, bytes: number) => {
		sum.entries += entries;
		sum.bytes += bytes;
		options.progress?.(sum.entries, sum.bytes);
	};
	const first = sources.filter(isDatabase);
	const moments = new Moments(final ? 0 : first.length);
	const inOrder = [...first, ...sources.filter((giving) => !isDatabase(giving))];
	const inTurn = await sideBySide(inOrder, options.signal, async (giving, signal) => {
		if (!isDatabase(giving)) await moments.all;
		return listed(giving, { ...options, signal }, seen, () => moments.past(giving));
	});
	const volumes = sources.map((giving) => inTurn[inOrder.indexOf(giving)] as ManifestVolume);
	forgetOlder(folder, round, volumes);
	return { round, final, volumes };
}

const isDatabase = ({ kind }: Giving) => kind === "postgres" || kind === "sqlite";

/** Waits until of each database it is certain as of when it is listed. */
class Moments {
	readonly #past = new Set<Giving>();
	readonly #count: number;
	readonly #waiting = Promise.withResolvers<void>();
	readonly all = this.#waiting.promise;

	constructor(count: number) {
		this.#count = count;
		if (count === 0) this.#waiting.resolve();
	}

	/** Again changes nothing. */
	past(giving: Giving): void {
		if (this.#past.add(giving).size >= this.#count) this.#waiting.resolve();
	}
}

/** Keeps the listings of this round and the one before it: the next difference may be from either. */
function forgetOlder(folder: string, round: number, volumes: readonly ManifestVolume[]): void {
	const file = join(folder, "rounds.json");
	const known = existsSync(file)
		? (JSON.parse(readFileSync(file, "utf8")) as [round: number, listings: string[]][])
		: [];
	const before = known.filter(([other]) => other < round).slice(-1);
	const rounds = [...before, [round, volumes.map(({ listing }) => listing)] as const];
	writeFileSync(`${file}.new`, JSON.stringify(rounds), { mode: 0o600, flush: true });
	renameSync(`${file}.new`, file);
	keepOnly(folder, new Set(rounds.flatMap(([, listings]) => listings)));
}

async function listed(
	giving: Giving,
	options: InventoryOptions,
	seen: (entries: number, bytes: number) => void,
	fixed: () => void,
): Promise<ManifestVolume> {
	const { service, name, kind, source } = giving;
	const { final: frozen, folder, signal } = options;
	const writer = new ListingWriter(folder, `${service}-${name}`);
	try {
		for await (const entries of source.list({ frozen, signal, fixed })) {
			signal.throwIfAborted();
			const before = writer.bytes;
			writer.add(entries);
			seen(entries.length, writer.bytes - before);
		}
		return { service, name, kind, ...writer.finish() };
	} finally {
		// Also where it fails, so that nobody waits for it; what others list then is of no use.
		fixed();
		writer.close();
	}
}

/** Writes a listing under a name for the time being; its own name is its hash, known at the end. */
class ListingWriter {
	readonly #folder: string;
	readonly #file: string;
	readonly #fd: number;
	readonly #hash = createHash("sha256");
	#lines = "";
	#length = 0;
	entries = 0;
	bytes = 0;

	constructor(folder: string, name: string) {
		this.#folder = folder;
		this.#file = join(folder, `${encodeURIComponent(name)}.part`);
		this.#fd = openSync(this.#file, "w", 0o600);
	}

	add(entries: readonly Entry[]): void {
		for (const entry of entries) {
			this.#lines += `${lineOf(entry)}\n`;
			this.bytes += entry.size;
			if (this.#lines.length > blockSize) this.#write();
		}
		this.entries += entries.length;
	}

	finish(): { entries: number; bytes: number; listing: string; length: number } {
		this.#write();
		fdatasyncSync(this.#fd);
		const listing = this.#hash.digest("base64url");
		renameSync(this.#file, fileOf(this.#folder, listing));
		return { entries: this.entries, bytes: this.bytes, listing, length: this.#length };
	}

	/** Also removes what was not finished. */
	close(): void {
		closeSync(this.#fd);
		rmSync(this.#file, { force: true });
	}

	#write(): void {
		const block = Buffer.from(this.#lines);
		this.#lines = "";
		this.#hash.update(block);
		for (let at = 0; at < block.length; ) at += writeSync(this.#fd, block, at);
		this.#length += block.length;
	}
}

/** Where a listing lies. */
export function fileOf(folder: string, digest: string): string {
	return join(folder, `${digest}.ndjson`);
}

const named = /^([\w-]{43})\./;

/** Removes every listing, and what is made of it, that none of these digests names. */
export function keepOnly(folder: string, digests: ReadonlySet<string>): void {
	for (const file of readdirSync(folder)) {
		const digest = named.exec(file)?.[1];
		if (digest && !digests.has(digest)) rmSync(join(folder, file), { force: true });
	}
}
