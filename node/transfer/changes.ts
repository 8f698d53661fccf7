import { checkEntry, longestLine } from "#protocol/migration/entry.ts";
import { Problem } from "#protocol/problem.ts";
import { comesBefore, folderOf, rawOf } from "../volumes/directory/name.ts";
import type { Change, Entry } from "../volumes/volume.ts";
import type { ManifestVolume } from "./inventory.ts";
import { entryOf, Lines, pathOf } from "./lines.ts";

/** More than so many bytes of lines, or so many lines, are no small change. */
const mostBytes = 4 * 1024 * 1024;
const mostLines = 10_000;

export interface Listed {
	readonly file: string;
	readonly volume: ManifestVolume;
}

/**
 * What a listing of a tree has otherwise than an older one that was checked; checks it by the way: what is the same needs no
 * second look but at its place. Undefined: it has to be checked as a whole, since much has changed, there are hard links,
 * or it is not in the order of a walk. Throws `copy-refused` as `checkListing` does.
 */
export async function changesSince(older: Listed, newer: Listed): Promise<readonly Change[] | undefined> {
	if (newer.volume.kind !== "directory") return undefined;
	const [before, after] = [new Lines(older.file, longestLine), new Lines(newer.file, longestLine)];
	try {
		const comparing = new Comparing(before, after);
		if (!(await comparing.run())) return undefined;
		const { entries, bytes } = newer.volume;
		if (after.at !== entries || older.volume.bytes + comparing.more !== bytes || after.isTorn)
			throw new Problem("copy-refused", { reason: "it holds more or less than announced" });
		return comparing.changes;
	} finally {
		before.close();
		after.close();
	}
}

/** Goes through both in step. */
class Comparing {
	readonly changes: Change[] = [];
	/** By how many bytes of content the newer one has more. */
	more = 0;
	readonly #before: Lines;
	readonly #after: Lines;
	#old: Buffer | undefined;
	#new: Buffer | undefined;
	#size = 0;
	#last = "";
	/** Folders around what came last in the newer one, outermost first. */
	readonly #around: { readonly raw: string; readonly entry: () => Entry; isTold: boolean }[] = [];

	constructor(before: Lines, after: Lines) {
		this.#before = before;
		this.#after = after;
	}

	/** Answers whether they can be compared in this way. */
	async run(): Promise<boolean> {
		this.#old = this.#before.next();
		this.#new = this.#after.next();
		for (let steps = 1; this.#old || this.#new; steps++) {
			if (!this.#step() || this.#size > mostBytes || this.changes.length > mostLines) return false;
			// Others want to be served while long listings are read.
			if (steps % 4096 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
		}
		return true;
	}

	#step(): boolean {
		const [old, now] = [this.#old, this.#new];
		if (isHardlink(old) || isHardlink(now)) return false;
		const isSame = old !== undefined && now !== undefined && old.equals(now);
		const raw = now && rawOf(pathOf(now));
		const before = isSame ? raw : old && rawOf(pathOf(old));
		const isGone = before !== undefined && (raw === undefined || comesBefore(before, raw));
		const isNew = raw !== undefined && !isGone && before !== raw;
		if (now && raw !== undefined && !isGone) {
			if (!this.#isInPlace(raw)) return false;
			const entry = isSame ? undefined : this.#changed(now, raw);
			if (entry && old && !isNew) this.more -= entryOf(old).size;
			if (isFolder(now)) this.#enter(raw, now, entry);
		} else if (old && before !== undefined) this.#gone(old, before);
		if (!isNew) this.#old = this.#before.next();
		if (!isGone) this.#new = this.#after.next();
		return true;
	}

	/** After what came last, and in a folder that is listed as one. */
	#isInPlace(raw: string): boolean {
		if (this.#last !== "" && !comesBefore(this.#last, raw)) return false;
		this.#last = raw;
		const folder = folderOf(raw);
		while (this.#around.length > 0 && this.#around.at(-1)?.raw !== folder) this.#around.pop();
		return folder === "" || this.#around.length > 0;
	}

	#changed(line: Buffer, raw: string): Entry {
		const entry = checkEntry(line.toString(), "directory");
		this.#tellAround(raw);
		this.#size += line.length;
		this.more += entry.size;
		this.changes.push({ path: entry.path, entry, isAround: false });
		return entry;
	}

	#gone(line: Buffer, raw: string): void {
		const { path, size } = entryOf(line);
		this.#tellAround(raw);
		this.#size += line.length;
		this.more -= size;
		this.changes.push({ path, entry: null, isAround: false });
	}

	#enter(raw: string, line: Buffer, entry: Entry | undefined): void {
		const text = entry ? "" : line.toString();
		this.#around.push({ raw, entry: () => entry ?? (JSON.parse(text) as Entry), isTold: entry !== undefined });
	}

	/** The folder that something changes in is told once; one that is gone itself is told already. */
	#tellAround(raw: string): void {
		const around = this.#around.findLast((one) => one.raw === folderOf(raw));
		if (!around || around.isTold) return;
		around.isTold = true;
		const entry = around.entry();
		this.changes.push({ path: entry.path, entry, isAround: true });
	}
}

/** In canonical JSON the type stands at the end. */
const folder = Buffer.from('"type":"folder"}');
const hardlink = Buffer.from('"type":"hardlink"}');
const endsWith = (line: Buffer, end: Buffer) =>
	line.length >= end.length && line.compare(end, 0, end.length, line.length - end.length) === 0;
const isFolder = (line: Buffer) => endsWith(line, folder);
const isHardlink = (line: Buffer | undefined) => line !== undefined && endsWith(line, hardlink);
