import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Pace } from "../pace.ts";
import { type Listing, type Piece, type PieceName, pieceSize } from "../volume.ts";
import { Asking } from "./asking.ts";
import type { Donor } from "./donors.ts";
import { Durability } from "./durability.ts";
import type { Ownership } from "./look.ts";
import { rawPathOf } from "./name.ts";
import { Round } from "./round.ts";
import { Settling } from "./settling.ts";
import { fullOr, Tree, writeFully } from "./tree.ts";

/**
 * A tree that is built up in a scratch folder from the pieces of a listing. What is in the folder says what is there:
 * `stage`, the tree; `known`, what its files held when they were read last; `dirty`, if something may have changed since;
 * `settled`, if it is all that a listing says.
 */
export class Stage {
	readonly #scratch: string;
	readonly #donors: readonly Donor[];
	#tree: Tree | undefined;
	#round: Round | undefined;
	#isDirty: boolean | undefined;
	#durability: Durability | undefined;

	constructor(scratch: string, donors: readonly Donor[]) {
		this.#scratch = scratch;
		this.#donors = donors;
	}

	/** Where the tree is. */
	get root(): string {
		return this.#file("stage");
	}

	/** Whether it is all that the listing said that was settled last. */
	get isSettled(): boolean {
		return existsSync(this.#file("settled"));
	}

	async *lacking(listing: Listing, signal: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		const tree = this.#opened();
		this.#round = new Round(listing);
		const touch = (raw: string) => this.#touch(raw);
		const { isDirty } = this;
		const options = { tree, round: this.#round, scratch: this.#scratch, donors: this.#donors, isDirty, touch, signal };
		const asking = new Asking(options);
		try {
			await asking.consider(listing);
			yield* asking.wanted();
		} catch (error) {
			throw fullOr(error, this.#scratch);
		} finally {
			asking.close();
		}
	}

	async write(pieces: readonly Piece[]): Promise<void> {
		const pace = new Pace();
		for (let start = 0; start < pieces.length; ) {
			const { path } = pieces[start] as Piece;
			let end = start + 1;
			while (pieces[end]?.path === path) end++;
			await this.#writeFile(rawPathOf(path), pieces.slice(start, end));
			start = end;
			if (pace.isDue) await pace.rest();
		}
	}

	async settle(listing: Listing, owner: Ownership | null, signal: AbortSignal): Promise<readonly PieceName[]> {
		const tree = this.#opened();
		const round = this.#round?.isAbout(listing) ? this.#round : new Round(listing);
		const touch = (raw: string) => this.#touch(raw);
		const settling = new Settling({ tree, round, scratch: this.#scratch, owner, touch, signal });
		let lacking: readonly PieceName[];
		try {
			lacking = await settling.settle(listing);
		} catch (error) {
			throw fullOr(error, this.#scratch);
		} finally {
			settling.close();
		}
		for (const { path } of lacking) this.#touch(rawPathOf(path));
		await this.#conclude(tree, lacking.length === 0);
		return lacking;
	}

	close(): void {
		this.#tree?.close();
		this.#tree = undefined;
		this.#round = undefined;
	}

	/** Whether files may have changed since they were read last. */
	get isDirty(): boolean {
		this.#isDirty ??= existsSync(this.#file("dirty"));
		return this.#isDirty;
	}

	async #writeFile(raw: string, pieces: readonly Piece[]): Promise<void> {
		this.#touch(raw);
		const fd = await this.#openAlone(raw);
		try {
			const part = this.#round?.part(raw, fd);
			for (const { index, bytes } of pieces) writeFully(fd, bytes, index * pieceSize);
			const indexes = pieces.map(({ index }) => index);
			if (part) this.#round?.overwritten(part, indexes, fd);
		} catch (error) {
			throw fullOr(error, this.#scratch);
		} finally {
			closeSync(fd);
		}
	}

	/** Other names that the file may have keep what it held. */
	async #openAlone(raw: string): Promise<number> {
		const tree = this.#opened();
		const fd = await tree.open(raw);
		if (fstatSync(fd).nlink === 1) return fd;
		closeSync(fd);
		await tree.part(raw, this.#file("parted"));
		return tree.open(raw);
	}

	/** What was read is remembered only once it is on disk: after a power cut, what is remembered must hold. */
	async #conclude(tree: Tree, isWhole: boolean): Promise<void> {
		if (this.isDirty) await this.#changes().flush(tree);
		renameSync(this.#file("known.new"), this.#file("known"));
		if (!isWhole) return;
		closeSync(openSync(this.#file("settled"), "w", 0o600));
		rmSync(this.#file("dirty"), { force: true });
		this.#isDirty = false;
	}

	#touch(raw: string): void {
		this.#changes().note(raw);
		if (this.isDirty) return;
		closeSync(openSync(this.#file("dirty"), "w", 0o600));
		rmSync(this.#file("settled"), { force: true });
		this.#isDirty = true;
	}

	#changes(): Durability {
		this.#durability ??= new Durability(this.#scratch, !this.isDirty);
		return this.#durability;
	}

	#opened(): Tree {
		if (this.#tree) return this.#tree;
		mkdirSync(this.#scratch, { recursive: true, mode: 0o700 });
		this.#tree = new Tree(this.root);
		return this.#tree;
	}

	#file(name: string): string {
		return join(this.#scratch, name);
	}
}
