import { hash } from "node:crypto";
import {
	closeSync,
	constants,
	existsSync,
	fsyncSync,
	lchownSync,
	linkSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { faultsOf } from "../../store/copy.ts";
import { ownershipOf } from "../directory/copy.ts";
import { unfit } from "../directory/name.ts";
import { stagedSignatureOf } from "../directory/records.ts";
import { Removal } from "../directory/removal.ts";
import { Stage } from "../directory/stage.ts";
import type { Entry, Listing, Piece, PieceName, Place, Target } from "../volume.ts";
import { database, donorOf, removeCompanions } from "./database.ts";

export interface SqliteTargetOptions {
	/** The file that is to be the database. */
	readonly path: string;
	/** User id of who is to own it; null: the node's own user. */
	readonly owner: number | null;
	/** On the file system of the file. */
	readonly scratch: string;
	/** Other databases that may hold much of the same. */
	readonly seeds: readonly string[];
}

/** A database of SQLite as the new provider takes it. */
export class SqliteTarget implements Target {
	readonly #path: string;
	readonly #owner: number | null;
	readonly #scratch: string;
	readonly #stage: Stage;
	readonly #listings = new WeakMap<Listing, OneDatabase>();

	constructor({ path, owner, scratch, seeds }: SqliteTargetOptions) {
		this.#path = path;
		this.#owner = owner;
		this.#scratch = scratch;
		this.#stage = new Stage(scratch, [path, ...seeds].map(donorOf));
	}

	lacking(listing: Listing, signal: AbortSignal): AsyncIterable<readonly PieceName[]> {
		return this.#stage.lacking(this.#one(listing), signal);
	}

	write(pieces: readonly Piece[]): Promise<void> {
		return this.#stage.write(pieces);
	}

	async settle(
		listing: Listing,
		signal: AbortSignal,
		how: { readonly isLive?: boolean } = {},
	): Promise<readonly PieceName[]> {
		const one = this.#one(listing);
		const lacking = await this.#stage.settle(one, ownershipOf(this.#path, this.#owner), signal, how.isLive);
		if (lacking.length === 0) await this.#check(one.content, signal);
		return lacking;
	}

	async copyTo(place: Place, signal: AbortSignal): Promise<void> {
		if (place.kind !== "sqlite") throw new Error(`A database cannot be copied to a place of kind ${place.kind}`);
		if (!this.#isSound) throw new Error("Nothing has settled here that could be copied");
		signal.throwIfAborted();
		mkdirSync(dirname(place.path), { recursive: true });
		const owner = ownershipOf(place.path, place.owner);
		rmSync(place.path, { force: true });
		removeCompanions(place.path);
		await copyFile(this.#staged, place.path, constants.COPYFILE_FICLONE);
		if (owner) lchownSync(place.path, owner.uid, owner.gid);
	}

	/** What SQLite kept beside the former database goes first: found by the new one, it would be applied to that. */
	async swap(signal: AbortSignal): Promise<void> {
		const swapping = join(this.#scratch, "swapping");
		if (!existsSync(swapping)) {
			if (!this.#isSound) throw new Error("Nothing has settled here that could take its place");
			signal.throwIfAborted();
			this.#stage.close();
			writeFileSync(swapping, "");
		}
		if (!existsSync(this.#staged)) return;
		mkdirSync(dirname(this.#path), { recursive: true });
		removeCompanions(this.#path);
		renameSync(this.#staged, this.#path);
		const folder = openSync(dirname(this.#path), "r");
		fsyncSync(folder);
		closeSync(folder);
	}

	async close(): Promise<void> {
		this.#stage.close();
	}

	async discard(): Promise<void> {
		this.#stage.close();
		await new Removal().remove(this.#scratch);
	}

	#one(listing: Listing): OneDatabase {
		const one = this.#listings.get(listing) ?? new OneDatabase(listing);
		this.#listings.set(listing, one);
		return one;
	}

	get #staged(): string {
		return join(this.#stage.root, database);
	}

	/** Whether what is there has settled and SQLite had nothing to say against it. */
	get #isSound(): boolean {
		if (!this.#stage.isSettled || !existsSync(this.#sound)) return false;
		return readFileSync(this.#sound, "utf8").startsWith(`${this.#look()}\n`);
	}

	/** SQLite's own check, once for each content; by another name, so that nothing is left beside what has settled. */
	async #check(digest: string, signal: AbortSignal): Promise<void> {
		const sound = `${this.#look()}\n${digest}`;
		if (existsSync(this.#sound) && readFileSync(this.#sound, "utf8") === sound) return;
		rmSync(this.#sound, { force: true });
		const folder = join(this.#scratch, "checking");
		rmSync(folder, { recursive: true, force: true });
		mkdirSync(folder);
		linkSync(this.#staged, join(folder, database));
		const faults = await faultsOf(join(folder, database), signal);
		rmSync(folder, { recursive: true });
		if (faults.length > 0) throw unfit(database, `the database is damaged: ${faults.join("; ")}`);
		writeFileSync(this.#sound, sound);
	}

	#look(): string {
		return stagedSignatureOf(statSync(this.#staged, { bigint: true }));
	}

	get #sound(): string {
		return join(this.#scratch, "sound");
	}
}

/** A listing that has to be that of one database. */
class OneDatabase implements Listing {
	readonly entries = 1;
	readonly bytes: number;
	/** The digest of its content, once it has been read through. */
	content = "";
	readonly #listing: Listing;

	constructor(listing: Listing) {
		this.#listing = listing;
		this.bytes = listing.bytes;
	}

	async *batches(): AsyncGenerator<readonly Entry[]> {
		let isThere = false;
		for await (const batch of this.#listing.batches())
			for (const entry of batch) {
				if (entry.path !== database || entry.type !== "file" || isThere)
					throw unfit(entry.path, "this volume is one database and nothing else");
				isThere = true;
				this.content = hash("sha256", entry.pieces.join(""), "base64url");
				yield [entry];
			}
		if (!isThere) throw unfit(database, "it is not listed");
	}
}
