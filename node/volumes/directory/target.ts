import {
	chmodSync,
	closeSync,
	existsSync,
	fsyncSync,
	lchownSync,
	lstatSync,
	mkdirSync,
	openSync,
	readFileSync,
	realpathSync,
	renameSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Listing, Piece, PieceName, Place, Target } from "../volume.ts";
import { copyTree, ownershipOf } from "./copy.ts";
import { Removal } from "./removal.ts";
import { Stage } from "./stage.ts";

export interface DirectoryTargetOptions {
	/** The folder that is to hold the tree. */
	readonly path: string;
	/** User id of who is to own it; null: the node's own user. */
	readonly owner: number | null;
	/** On the file system of the folder. */
	readonly scratch: string;
	/** Folders that may hold much of the same, besides this one. */
	readonly seeds: readonly string[];
}

/** A folder with all that is in it, as the new provider takes it. */
export class DirectoryTarget implements Target {
	readonly #path: string;
	readonly #owner: number | null;
	readonly #scratch: string;
	readonly #stage: Stage;
	readonly #removal = new Removal();

	constructor({ path, owner, scratch, seeds }: DirectoryTargetOptions) {
		this.#path = resolve(path);
		this.#owner = owner;
		this.#scratch = scratch;
		this.#stage = new Stage(
			scratch,
			[this.#path, ...seeds].map((root) => ({ root })),
		);
	}

	lacking(listing: Listing, signal: AbortSignal): AsyncIterable<readonly PieceName[]> {
		return this.#stage.lacking(listing, signal);
	}

	write(pieces: readonly Piece[]): Promise<void> {
		return this.#stage.write(pieces);
	}

	settle(
		listing: Listing,
		signal: AbortSignal,
		how: { readonly isLive?: boolean } = {},
	): Promise<readonly PieceName[]> {
		return this.#stage.settle(listing, ownershipOf(this.#path, this.#owner), signal, how.isLive);
	}

	async copyTo(place: Place, signal: AbortSignal): Promise<void> {
		if (place.kind !== "directory") throw new Error(`A folder cannot be copied to a place of kind ${place.kind}`);
		if (!this.#stage.isSettled) throw new Error("Nothing has settled here that could be copied");
		const owner = ownershipOf(place.path, place.owner);
		await this.#removal.remove(place.path);
		mkdirSync(place.path, { recursive: true, mode: 0o700 });
		await copyTree(this.#stage.root, place.path, owner, signal);
		if (owner) lchownSync(place.path, owner.uid, owner.gid);
	}

	/**
	 * The file `swapping` says that it has begun. As long as the stage is there, whatever is at the place is not it; once
	 * the stage has been moved there, only what was there before is left to remove.
	 */
	async swap(signal: AbortSignal): Promise<void> {
		const swapping = join(this.#scratch, "swapping");
		if (!existsSync(swapping)) {
			if (!this.#stage.isSettled) throw new Error("Nothing has settled here that could take its place");
			signal.throwIfAborted();
			this.#stage.close();
			// A link to the place stays a link: what it leads to is replaced.
			writeFileSync(swapping, existsSync(this.#path) ? realpathSync(this.#path) : this.#path);
			sync(this.#scratch);
		}
		if (existsSync(this.#stage.root)) this.#exchange(readFileSync(swapping, "utf8"));
		await this.#removal.remove(this.#before);
	}

	async close(): Promise<void> {
		this.#stage.close();
	}

	async discard(): Promise<void> {
		this.#stage.close();
		// Called off between the two halves of an exchange: what was there comes back.
		const former = join(this.#before, "0");
		if (existsSync(this.#stage.root) && existsSync(former) && !existsSync(this.#path))
			renameSync(former, readFileSync(join(this.#scratch, "swapping"), "utf8"));
		await this.#removal.remove(this.#scratch);
	}

	get #before(): string {
		return join(this.#scratch, "before");
	}

	#exchange(path: string): void {
		this.#dressRoot(path);
		mkdirSync(this.#before, { recursive: true, mode: 0o700 });
		// What somebody puts there after the first half was done gives way as well.
		let number = 0;
		while (existsSync(join(this.#before, String(number)))) number++;
		if (isThere(path)) renameSync(path, join(this.#before, String(number)));
		mkdirSync(dirname(path), { recursive: true });
		renameSync(this.#stage.root, path);
		sync(dirname(path));
		sync(this.#scratch);
	}

	/** The folder itself belongs to this node: it keeps the mode it has here. */
	#dressRoot(path: string): void {
		const owner = ownershipOf(path, this.#owner);
		const former = [path, join(this.#before, "0")].find((one) => existsSync(one));
		if (owner) lchownSync(this.#stage.root, owner.uid, owner.gid);
		chmodSync(this.#stage.root, former ? statSync(former).mode & 0o3777 : 0o700);
	}
}

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Brings to disk which names a folder has. */
function sync(folder: string): void {
	const fd = openSync(folder, "r");
	fsyncSync(fd);
	closeSync(fd);
}
