import { closeSync, existsSync, mkdirSync, readlinkSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { Pace } from "../pace.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { type Content, openFile, readContent } from "./content.ts";
import { Folders } from "./folders.ts";
import { mappedIn } from "./mapped.ts";
import { at, checkSymlink, permitted, textOf, unfit } from "./name.ts";
import { RecordReader, RecordWriter, signatureOf, splitPieces } from "./records.ts";
import { isBefore, tick } from "./tick.ts";
import { type Found, walk } from "./walk.ts";

const log = getLogger(["fediversity", "volumes"]);
const batchEntries = 512;
const batchPieces = 8192;
const attempts = 3;

export interface SurveyOptions {
	readonly root: string;
	/** Where what was read is remembered. */
	readonly scratch: string;
	/** Nobody writes any more: what changes or vanishes now is a failure. */
	readonly frozen: boolean;
	/** Leave out what cannot be moved, instead of refusing all. */
	readonly lenient?: boolean;
	/** Look at these names in the root only. */
	readonly only?: (raw: string) => boolean;
	readonly signal: AbortSignal;
}

/**
 * Everything in a tree as entries of a listing. What was read is remembered with how the file looked then, so that the
 * next survey reads only what looks different, also after one that was cut off.
 */
export async function* survey(options: SurveyOptions): AsyncGenerator<readonly Entry[]> {
	const one = new Survey(options);
	try {
		yield* one.batches();
		one.remember();
	} finally {
		one.close();
	}
}

class Survey {
	readonly #options: SurveyOptions;
	readonly #folders: Folders;
	readonly #pace: Pace;
	readonly #room = Buffer.allocUnsafeSlow(pieceSize);
	readonly #before: readonly RecordReader[];
	readonly #after: RecordWriter;
	readonly #now: bigint;
	#mapped: ReadonlySet<bigint> = new Set();
	/** The first name met of each file that has several, until all were met. */
	readonly #linked = new Map<bigint, { path: string; left: bigint }>();

	constructor(options: SurveyOptions) {
		this.#options = options;
		mkdirSync(options.scratch, { recursive: true, mode: 0o700 });
		this.#now = tick(join(options.scratch, "tick"));
		this.#folders = new Folders(options.root);
		this.#pace = new Pace(options.signal);
		if (!existsSync(options.root)) throw unfit(options.root, "it is not there");
		const [known, part, cut] = this.#files();
		if (existsSync(part) && !(existsSync(cut) && statSync(cut).size > statSync(part).size)) renameSync(part, cut);
		this.#before = [new RecordReader(cut), new RecordReader(known)];
		this.#after = new RecordWriter(part);
	}

	async *batches(): AsyncGenerator<readonly Entry[]> {
		if (!this.#options.frozen) this.#mapped = await mappedIn(this.#options.root, this.#pace);
		let batch: Entry[] = [];
		let pieces = 0;
		for (const found of walk(this.#folders, (raw) => this.#missed(raw))) {
			if (this.#pace.isDue) await this.#pace.rest();
			if (this.#options.only && !this.#options.only(found.raw)) continue;
			const entry = this.#known(found) ?? (await this.#look(found));
			if (!entry) continue;
			batch.push(entry);
			pieces += entry.pieces.length;
			if (batch.length < batchEntries && pieces < batchPieces) continue;
			yield batch;
			batch = [];
			pieces = 0;
		}
		if (batch.length > 0) yield batch;
	}

	/** What was read replaces what the survey before had read. */
	remember(): void {
		this.#after.close();
		const [known, part, cut] = this.#files();
		renameSync(part, known);
		rmSync(cut, { force: true });
	}

	close(): void {
		this.#after.close();
		this.#folders.close();
		for (const reader of this.#before) reader.close();
	}

	#files(): [known: string, part: string, cut: string] {
		const file = (name: string) => join(this.#options.scratch, name);
		return [file("known"), file("known.part"), file("known.cut")];
	}

	/** A file that looks as it did when it was read last. */
	#known({ raw, stats }: Found): Entry | undefined {
		if (!stats.isFile() || stats.nlink > 1n) return undefined;
		return this.#recalled(raw, stats);
	}

	#recalled(raw: string, stats: Found["stats"]): Entry | undefined {
		if (this.#mapped.has(stats.ino)) return undefined;
		const signature = signatureOf(stats);
		for (const reader of this.#before) {
			const record = reader.find(raw);
			if (record?.signature !== signature) continue;
			this.#after.add(raw, signature, record.pieces);
			const content = { size: Number(stats.size), mode: Number(stats.mode) & 0o7777, modified: stats.mtimeNs };
			return fileEntry(raw, { ...content, pieces: record.pieces });
		}
	}

	async #look(found: Found): Promise<Entry | undefined> {
		const { raw, stats } = found;
		if (raw.length > 4096) throw unfit(textOf(raw), "its path is too long");
		if (stats.isDirectory())
			return { ...entryOf(raw, "folder"), mode: Number(stats.mode) & 0o7777, modified: String(stats.mtimeNs) };
		if (stats.isSymbolicLink()) return this.#symlink(found);
		if (stats.isFile()) return stats.nlink > 1n ? this.#oneOfSeveral(found) : this.#file(found);
		log.info("Left {path} out: it is neither file nor folder nor link", { path: textOf(raw) });
	}

	#symlink({ raw, name, prefix, stats }: Found): Entry | undefined {
		try {
			const text = readlinkSync(at(prefix, name), { encoding: "latin1" });
			checkSymlink(raw, text);
			return { ...entryOf(raw, "symlink"), target: textOf(text), modified: String(stats.mtimeNs) };
		} catch (error) {
			if (error instanceof Problem) {
				if (this.#options.lenient) return undefined;
				throw error;
			}
			if (!["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
			return this.#missed(raw);
		}
	}

	async #oneOfSeveral(found: Found): Promise<Entry | undefined> {
		const { raw, stats } = found;
		const first = this.#linked.get(stats.ino);
		if (first) {
			if (--first.left === 0n) this.#linked.delete(stats.ino);
			return { ...entryOf(raw, "hardlink"), target: first.path };
		}
		const entry = this.#recalled(raw, stats) ?? (await this.#file(found));
		if (entry) this.#linked.set(stats.ino, { path: entry.path, left: stats.nlink - 1n });
		return entry;
	}

	async #file(found: Found): Promise<Entry | undefined> {
		for (let attempt = 1; attempt <= attempts; attempt++) {
			const content = await this.#read(found);
			if (!content) return this.#missed(found.raw);
			if (this.#options.frozen && !content.isSteady) continue;
			// Written to in this very tick, it could look the same and yet hold something else later.
			if (isBefore(content.changed, this.#now) && !this.#mapped.has(found.stats.ino))
				this.#after.add(found.raw, content.signature, content.pieces);
			return fileEntry(found.raw, content);
		}
		throw new Problem("volume-busy", { path: textOf(found.raw) });
	}

	async #read({ raw, prefix, name }: Found): Promise<Content | undefined> {
		const fd = permitted(raw, () => openFile(prefix, name));
		if (fd === undefined) return undefined;
		try {
			return await readContent(fd, this.#room, this.#pace);
		} finally {
			closeSync(fd);
		}
	}

	#missed(raw: string): undefined {
		if (this.#options.frozen) throw new Problem("volume-busy", { path: textOf(raw) });
	}
}

const entryOf = (raw: string, type: Entry["type"]): Entry => ({ path: textOf(raw), type, size: 0, pieces: [] });

function fileEntry(raw: string, { size, pieces, mode, modified }: Omit<Content, "signature" | "changed" | "isSteady">) {
	const entry = { path: textOf(raw), type: "file", size, pieces: splitPieces(pieces) } as const;
	return { ...entry, mode, modified: String(modified) };
}
