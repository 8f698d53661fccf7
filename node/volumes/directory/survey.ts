import { closeSync, existsSync, mkdirSync, readlinkSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { Pace } from "../pace.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { type Content, openFile, readContent } from "./content.ts";
import { Folders, isGone } from "./folders.ts";
import { mappedIn } from "./mapped.ts";
import { at, checkSymlink, folderOf, nameOf, permitted, textOf, unfit } from "./name.ts";
import { type Handful, ReadingAlong } from "./reading-along.ts";
import { RecordReader, RecordWriter, signatureOf, splitPieces } from "./records.ts";
import { isBefore, tick } from "./tick.ts";
import { type Found, walk } from "./walk.ts";

/** What was met. */
interface Met extends Pick<Found, "raw" | "stats"> {
	/** Names of the pieces of a file that looks as it did when it was read last. */
	readonly pieces: string | undefined;
	/** Which of the handful to read it is. */
	readonly number: number | undefined;
}

/** A part of the walk, with what of it two threads read. */
interface Stretch {
	readonly met: readonly Met[];
	readonly along: Handful;
}

const log = getLogger(["fediversity", "volumes"]);
const batchEntries = 512;
const batchPieces = 8192;
const longestPath = 4096;
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
	/** Who else reads in the tree; it is ended with the survey. */
	readonly along?: ReadingAlong;
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
	/** The same for what was met a while ago: where the walk is stays open. */
	readonly #passed: Folders;
	readonly #along: ReadingAlong;
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
		this.#passed = new Folders(options.root);
		this.#along = options.along ?? new ReadingAlong({ root: options.root, isStaged: false });
		this.#pace = new Pace(options.signal);
		if (!existsSync(options.root)) throw unfit(options.root, "it is not there");
		const [known, part, cut] = this.#files();
		if (existsSync(part) && !(existsSync(cut) && statSync(cut).size > statSync(part).size)) renameSync(part, cut);
		this.#before = [new RecordReader(cut), new RecordReader(known)];
		this.#after = new RecordWriter(part);
	}

	async *batches(): AsyncGenerator<readonly Entry[]> {
		if (!this.#options.frozen) this.#mapped = await mappedIn(this.#options.root, this.#pace);
		const walking = walk(this.#folders, (raw) => this.#missed(raw));
		let now = await this.#next(walking);
		while (now.met.length > 0) {
			// What comes next is read by the second thread when this one is through with what is here.
			const next = await this.#next(walking);
			yield* this.#entries(now);
			now = next;
		}
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
		this.#passed.close();
		this.#along.close();
		for (const reader of this.#before) reader.close();
	}

	#files(): [known: string, part: string, cut: string] {
		const file = (name: string) => join(this.#options.scratch, name);
		return [file("known"), file("known.part"), file("known.cut")];
	}

	/** Goes on with the walk; what has to be read is left to both threads. */
	async #next(walking: Iterator<Found>): Promise<Stretch> {
		const met: Met[] = [];
		const unread: string[] = [];
		let bytes = 0;
		while (met.length < batchEntries) {
			const { value, done } = walking.next();
			if (done) break;
			if (this.#pace.isDue) await this.#pace.rest();
			const { raw, stats } = value;
			if (this.#options.only && !this.#options.only(raw)) continue;
			const pieces = stats.isFile() ? this.#remembered(raw, stats) : undefined;
			const isToRead = stats.isFile() && pieces === undefined && stats.nlink === 1n && raw.length <= longestPath;
			met.push({ raw, stats, pieces, number: isToRead ? unread.push(raw) - 1 : undefined });
			if (isToRead) bytes += Number(stats.size);
		}
		return { met, along: this.#along.begin(unread, bytes) };
	}

	/** Names of the pieces of a file that looks as it did when it was read last. */
	#remembered(raw: string, stats: Found["stats"]): string | undefined {
		if (this.#mapped.has(stats.ino)) return undefined;
		const signature = signatureOf(stats);
		for (const reader of this.#before) {
			const record = reader.find(raw);
			if (record?.signature === signature) return record.pieces;
		}
	}

	async *#entries({ met, along }: Stretch) {
		let batch: Entry[] = [];
		let pieces = 0;
		for (const one of met) {
			if (this.#pace.isDue) await this.#pace.rest();
			const entry = this.#known(one) ?? (await this.#look(one, along));
			if (!entry) continue;
			batch.push(entry);
			pieces += entry.pieces.length;
			if (pieces < batchPieces) continue;
			yield batch;
			batch = [];
			pieces = 0;
		}
		if (batch.length > 0) yield batch;
	}

	#known({ raw, stats, pieces }: Met): Entry | undefined {
		if (pieces === undefined || stats.nlink > 1n) return undefined;
		return this.#recalled(raw, stats, pieces);
	}

	#recalled(raw: string, stats: Found["stats"], pieces: string): Entry {
		this.#after.add(raw, signatureOf(stats), pieces);
		const content = { size: Number(stats.size), mode: Number(stats.mode) & 0o7777, modified: stats.mtimeNs };
		return fileEntry(raw, { ...content, pieces });
	}

	async #look(met: Met, along: Handful): Promise<Entry | undefined> {
		const { raw, stats, number } = met;
		if (raw.length > longestPath) throw unfit(textOf(raw), "its path is too long");
		if (stats.isDirectory())
			return { ...entryOf(raw, "folder"), mode: Number(stats.mode) & 0o7777, modified: String(stats.mtimeNs) };
		if (stats.isSymbolicLink()) return this.#symlink(met);
		if (stats.isFile() && stats.nlink > 1n) return this.#oneOfSeveral(met);
		if (stats.isFile()) return this.#file(met, number === undefined ? undefined : await along.content(number));
		log.info("Left {path} out: it is neither file nor folder nor link", { path: textOf(raw) });
	}

	#symlink({ raw, stats }: Met): Entry | undefined {
		try {
			const text = readlinkSync(at(this.#passed.at(folderOf(raw)), nameOf(raw)), { encoding: "latin1" });
			checkSymlink(raw, text);
			return { ...entryOf(raw, "symlink"), target: textOf(text), modified: String(stats.mtimeNs) };
		} catch (error) {
			if (error instanceof Problem) {
				if (this.#options.lenient) return undefined;
				throw error;
			}
			if (!isGone(error) && (error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
			return this.#missed(raw);
		}
	}

	async #oneOfSeveral(met: Met): Promise<Entry | undefined> {
		const { raw, stats, pieces } = met;
		const first = this.#linked.get(stats.ino);
		if (first) {
			if (--first.left === 0n) this.#linked.delete(stats.ino);
			return { ...entryOf(raw, "hardlink"), target: first.path };
		}
		const entry = pieces === undefined ? await this.#file(met) : this.#recalled(raw, stats, pieces);
		if (entry) this.#linked.set(stats.ino, { path: entry.path, left: stats.nlink - 1n });
		return entry;
	}

	/** `first`: what was read already. */
	async #file({ raw, stats }: Met, first?: Content): Promise<Entry | undefined> {
		for (let attempt = 1; attempt <= attempts; attempt++) {
			const content = (attempt === 1 && first) || (await this.#read(raw));
			if (!content) return this.#missed(raw);
			if (this.#options.frozen && !content.isSteady) continue;
			// Written to in this very tick, it could look the same and yet hold something else later.
			if (isBefore(content.changed, this.#now) && !this.#mapped.has(stats.ino))
				this.#after.add(raw, content.signature, content.pieces);
			return fileEntry(raw, content);
		}
		throw new Problem("volume-busy", { path: textOf(raw) });
	}

	async #read(raw: string): Promise<Content | undefined> {
		const fd = permitted(raw, () => this.#opened(raw));
		if (fd === undefined) return undefined;
		try {
			return await readContent(fd, this.#room, this.#pace);
		} finally {
			closeSync(fd);
		}
	}

	#opened(raw: string): number | undefined {
		try {
			return openFile(this.#passed.at(folderOf(raw)), nameOf(raw));
		} catch (error) {
			if (isGone(error)) return undefined;
			throw error;
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
