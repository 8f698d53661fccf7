import { type BigIntStats, lstatSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Pace } from "../pace.ts";
import { type Change, type Entry, type Listing, type PieceName, pieceSize } from "../volume.ts";
import { Donors } from "./donors.ts";
import { isGone } from "./folders.ts";
import { admitted, Inspection } from "./inspection.ts";
import { dress, type Ownership } from "./look.ts";
import { type Means, Mending } from "./mending.ts";
import { folderOf, nameOf, rawOf, rawPathOf, unfit } from "./name.ts";
import { type FileRecord, RecordReader, RecordWriter, stagedSignatureOf } from "./records.ts";
import type { Round } from "./round.ts";
import type { Tree } from "./tree.ts";
import { namesIn } from "./walk.ts";

export interface Settlement {
	readonly tree: Tree;
	readonly scratch: string;
	/** What this process knows of this listing's pieces. */
	readonly round: Round;
	readonly owner: Ownership | null;
	/** To be called before the tree is changed, with the path. */
	readonly touch: (raw: string) => void;
	readonly signal: AbortSignal;
}

/** Makes a tree be exactly what a listing says, and reads every piece again that was not read since it was written. */
export class Settling {
	readonly #s: Settlement;
	readonly #pace: Pace;
	readonly #before: RecordReader;
	/** What is remembered of the path at hand, where only changes are looked at. */
	#known: FileRecord | undefined;
	readonly #after: RecordWriter;
	readonly #inspection: Inspection;
	/** Names in the folders around, less those that were listed. */
	readonly #unlisted = new Map<string, Set<string>>();
	/** Which path has a file of several names, by inode. */
	readonly #owners = new Map<bigint, string>();
	readonly #means: Means;
	/** Files of this tree that are as listed; not before one is made of another. */
	#made: Donors | undefined;
	#hasForgotten = false;
	readonly #buffer = Buffer.allocUnsafeSlow(pieceSize);
	/** Folders whose look is set when they are left. */
	readonly #dressing: { entry: Entry; raw: string }[] = [];
	readonly #lacking: PieceName[] = [];

	constructor(settlement: Settlement) {
		this.#s = settlement;
		this.#pace = new Pace(settlement.signal);
		this.#before = new RecordReader(this.#file("known"));
		this.#after = new RecordWriter(this.#file("known.new"));
		this.#means = {
			...settlement,
			donors: () => this.#donors(),
			beside: this.#file("parted"),
			pace: this.#pace,
		};
		this.#inspection = new Inspection((raw) => this.#leave(raw));
	}

	/** Answers what is lacking or damaged. */
	async settle(listing: Listing): Promise<readonly PieceName[]> {
		this.#enter("");
		for await (const batch of listing.batches())
			for (const entry of batch) {
				const raw = await this.#inspection.admit(entry);
				const isThere = this.#unlisted.get(folderOf(raw))?.delete(nameOf(raw)) ?? false;
				await this.#make(entry, raw, isThere);
				if (this.#pace.isDue) await this.#pace.rest();
			}
		await this.#inspection.end();
		return this.#lacking;
	}

	/** The same where the tree was what another listing says, and only this has changed since. Answers what is lacking. */
	async amend(changes: readonly Change[]): Promise<readonly PieceName[]> {
		for (const { path, entry } of changes.toReversed()) if (!entry) await this.#removeGone(rawPathOf(path));
		for (const { path, entry, isAround } of changes) {
			const raw = entry ? admitted(entry) : rawPathOf(path);
			this.#known = this.#before.passTo(raw, (line) => this.#after.copy(line));
			if (entry?.type === "folder") await this.#amendFolder(entry, raw);
			else if (entry && !isAround) await this.#make(entry, raw, true);
			if (this.#pace.isDue) await this.#pace.rest();
		}
		this.#before.passTo(undefined, (line) => this.#after.copy(line));
		for (const { entry, raw } of this.#dressing.splice(0)) this.#dress(entry, raw);
		return this.#lacking;
	}

	/** With what lay around it, it may be gone already. */
	async #removeGone(raw: string): Promise<void> {
		try {
			if (!this.#s.tree.look(raw)) return;
		} catch (error) {
			if (isGone(error)) return;
			throw error;
		}
		this.#s.touch(raw);
		await this.#s.tree.remove(raw);
	}

	async #amendFolder(entry: Entry, raw: string): Promise<void> {
		const { tree, touch } = this.#s;
		touch(raw);
		await tree.withRights(raw, () => tree.folder(raw));
		this.#dressing.push({ entry, raw });
	}

	close(): void {
		this.#before.close();
		this.#after.close();
		this.#made?.close();
	}

	async #make(entry: Entry, raw: string, isThere: boolean): Promise<void> {
		if (entry.type === "file") return this.#makeFile(entry, raw, isThere);
		if (entry.type === "folder") return this.#makeFolder(entry, raw, isThere);
		if (entry.type === "symlink") return this.#makeSymlink(entry, raw, isThere);
		return this.#makeHardlink(entry, raw, isThere);
	}

	async #makeFolder(entry: Entry, raw: string, isThere: boolean): Promise<void> {
		const { tree, touch } = this.#s;
		const stats = isThere ? tree.look(raw) : undefined;
		if (!stats?.isDirectory()) touch(raw);
		if (!stats?.isDirectory() || (stats.mode & 0o700n) !== 0o700n) await tree.withRights(raw, () => tree.folder(raw));
		this.#dressing.push({ entry, raw });
		this.#enter(raw);
	}

	#enter(raw: string): void {
		this.#unlisted.set(raw, new Set(namesIn(this.#s.tree.folders, raw)));
	}

	/** What a folder holds besides what is listed goes; then, as nothing changes it any more, it is dressed. */
	async #leave(raw: string): Promise<void> {
		for (const name of this.#unlisted.get(raw) ?? []) {
			const path = raw === "" ? name : `${raw}/${name}`;
			this.#s.touch(path);
			await this.#s.tree.remove(path);
		}
		this.#unlisted.delete(raw);
		const folder = this.#dressing.pop();
		if (folder) this.#dress(folder.entry, folder.raw);
	}

	/** Answers how it looks then. */
	#dress(entry: Entry, raw: string, known?: BigIntStats): BigIntStats {
		const path = this.#s.tree.at(raw);
		const stats = known ?? lstatSync(path, { bigint: true });
		return dress(path, stats, entry, this.#s.owner) ? lstatSync(path, { bigint: true }) : stats;
	}

	async #makeSymlink(entry: Entry, raw: string, isThere: boolean): Promise<void> {
		const { tree, touch } = this.#s;
		const text = Buffer.from(rawOf(entry.target as string), "latin1");
		const isLink = isThere && tree.look(raw)?.isSymbolicLink();
		if (!isLink || !readlinkSync(tree.at(raw), { encoding: "buffer" }).equals(text)) {
			touch(raw);
			await tree.remove(raw);
			await tree.withRights(raw, () => symlinkSync(text, tree.at(raw)));
		}
		this.#dress(entry, raw);
	}

	async #makeHardlink(entry: Entry, raw: string, isThere: boolean): Promise<void> {
		const { tree, touch } = this.#s;
		const first = rawOf(entry.target as string);
		const file = this.#listedFile(first);
		if (!file) throw unfit(entry.path, "what it is another name of is not listed before it");
		this.#owners.set(file.ino, first);
		if (isThere && tree.look(raw)?.ino === file.ino) return;
		touch(raw);
		await tree.remove(raw);
		await tree.link(first, raw);
	}

	/** A file that was listed; what was not may still be there. */
	#listedFile(raw: string) {
		for (let path = raw; path !== ""; path = folderOf(path))
			if (this.#unlisted.get(folderOf(path))?.has(nameOf(path))) return undefined;
		try {
			const stats = this.#s.tree.look(raw);
			return stats?.isFile() ? stats : undefined;
		} catch (error) {
			if (isGone(error)) return undefined;
			throw error;
		}
	}

	async #makeFile(entry: Entry, raw: string, isThere: boolean): Promise<void> {
		const stats = isThere ? await this.#ownFile(raw) : undefined;
		const names = entry.pieces.join("");
		const record = this.#known ?? this.#before.find(raw);
		const isKnown = stats !== undefined && record?.pieces === names && record.signature === stagedSignatureOf(stats);
		if (!isKnown) {
			if (record) this.#forget();
			const missing = await new Mending(this.#means, entry, raw, this.#buffer).mend();
			for (const index of missing) this.#lacking.push({ path: entry.path, index });
			if (missing.length > 0) return;
		}
		const dressed = this.#dress(entry, raw, isKnown ? stats : undefined);
		this.#after.add(raw, stagedSignatureOf(dressed), names);
		this.#made?.add(0, raw, entry.pieces);
	}

	/**
	 * Other content may come to look the same from outside, once it is dressed: if this is cut off, what was remembered
	 * before must not be taken for it.
	 */
	#forget(): void {
		if (this.#hasForgotten) return;
		rmSync(this.#file("known"), { force: true });
		this.#hasForgotten = true;
	}

	/** The file that is there, with content of its own unless it is listed as another name of something. */
	async #ownFile(raw: string) {
		const { tree, touch } = this.#s;
		const stats = tree.look(raw);
		if (!stats?.isFile()) return undefined;
		const owner = stats.nlink > 1n ? this.#owners.get(stats.ino) : undefined;
		if (owner === undefined) {
			if (stats.nlink > 1n) this.#owners.set(stats.ino, raw);
			return stats;
		}
		touch(raw);
		await tree.part(raw, this.#means.beside);
	}

	async #donors(): Promise<Donors> {
		if (this.#made) return this.#made;
		this.#after.flush();
		this.#made = new Donors([{ root: this.#s.tree.root }], this.#file("book"));
		await this.#made.learn(this.#file("known.new"), this.#pace);
		return this.#made;
	}

	#file(name: string): string {
		return join(this.#s.scratch, name);
	}
}
