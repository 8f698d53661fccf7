import {
	closeSync,
	existsSync,
	fstatSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Pace } from "../pace.ts";
import { type Change, type Listing, type Piece, type PieceName, pieceSize } from "../volume.ts";
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
 * `settled`, if it is all that a listing says, and which one; `running`, while some of it may not be on the disk.
 */
export class Stage {
	readonly #scratch: string;
	readonly #donors: readonly Donor[];
	#tree: Tree | undefined;
	#round: Round | undefined;
	#isDirty: boolean | undefined;
	#durability: Durability | undefined;
	/** What to change in the tree for a listing, if it was all that an older one says when the round began. */
	#amendment: { readonly listing: Listing; readonly changes: readonly Change[] } | undefined;

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
		return existsSync(this.#file("settled")) && this.#runsStill;
	}

	/** Whether it is all that just this listing says. Nobody but the node can reach the tree, so it need not be looked at again. */
	#isJust({ digest }: Listing): boolean {
		return digest !== undefined && !this.isDirty && this.#settled === digest;
	}

	/** The digest of the listing that was settled last; nothing: it had none, or something may have changed since. */
	get #settled(): string | undefined {
		return this.isSettled ? readFileSync(this.#file("settled"), "utf8") : undefined;
	}

	async *lacking(listing: Listing, signal: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		const tree = this.#opened();
		this.#round = new Round(listing);
		this.#amendment = undefined;
		if (this.#isJust(listing)) return;
		const changes = this.isDirty ? undefined : listing.since?.(this.#settled ?? "");
		this.#amendment = changes && { listing, changes };
		const touch = (raw: string) => this.#touch(raw);
		const { isDirty } = this;
		const options = { tree, round: this.#round, scratch: this.#scratch, donors: this.#donors, isDirty, touch, signal };
		const asking = new Asking(options);
		try {
			if (changes) await asking.reconsider(changes);
			else await asking.consider(listing);
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

	async settle(
		listing: Listing,
		owner: Ownership | null,
		signal: AbortSignal,
		isLive = false,
	): Promise<readonly PieceName[]> {
		const tree = this.#opened();
		if (this.#isJust(listing)) {
			if (!isLive) await this.#bringToDisk(tree);
			return [];
		}
		// What did not hold is looked for in all of it the next time.
		const amendment = this.#amendment?.listing === listing ? this.#amendment : undefined;
		this.#amendment = undefined;
		const round = this.#round?.isAbout(listing) ? this.#round : new Round(listing);
		const touch = (raw: string) => this.#touch(raw);
		const settling = new Settling({ tree, round, scratch: this.#scratch, owner, touch, signal });
		let lacking: readonly PieceName[];
		try {
			lacking = await (amendment ? settling.amend(amendment.changes) : settling.settle(listing));
		} catch (error) {
			throw fullOr(error, this.#scratch);
		} finally {
			settling.close();
		}
		for (const { path } of lacking) this.#touch(rawPathOf(path));
		await this.#conclude(tree, lacking.length === 0 ? listing : undefined, isLive);
		return lacking;
	}

	close(): void {
		this.#tree?.close();
		this.#tree = undefined;
		this.#round = undefined;
	}

	/** Whether files may have changed since they were read last. */
	get isDirty(): boolean {
		this.#isDirty ??= existsSync(this.#file("dirty")) || !this.#runsStill;
		return this.#isDirty;
	}

	/** False: not all that was remembered had come to the disk when the machine went down. */
	get #runsStill(): boolean {
		return !existsSync(this.#file("running")) || readFileSync(this.#file("running"), "utf8") === bootOfMachine();
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

	/**
	 * After a power cut, what is remembered must hold: so it is on disk by then, or is remembered for as long only as the machine
	 * runs, which the file `running` says.
	 */
	async #conclude(tree: Tree, whole: Listing | undefined, isLive: boolean): Promise<void> {
		if (this.isDirty && isLive) writeFileSync(this.#file("running"), bootOfMachine(), { mode: 0o600, flush: true });
		if (isLive) this.#changes().begin();
		else await this.#bringToDisk(tree);
		renameSync(this.#file("known.new"), this.#file("known"));
		if (!whole) return;
		writeFileSync(this.#file("settled"), whole.digest ?? "", { mode: 0o600, flush: true });
		rmSync(this.#file("dirty"), { force: true });
		this.#isDirty = false;
	}

	async #bringToDisk(tree: Tree): Promise<void> {
		if (this.isDirty || existsSync(this.#file("running"))) await this.#changes().flush(tree);
		rmSync(this.#file("running"), { force: true });
	}

	#touch(raw: string): void {
		this.#changes().note(raw);
		if (this.isDirty) return;
		closeSync(openSync(this.#file("dirty"), "w", 0o600));
		rmSync(this.#file("settled"), { force: true });
		this.#isDirty = true;
	}

	#changes(): Durability {
		this.#durability ??= new Durability(this.#scratch, !this.isDirty && !existsSync(this.#file("running")));
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

/** Another one after each start of the machine. Where the system does not tell, never the same. */
function bootOfMachine(): string {
	try {
		return readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
	} catch {
		return `${process.pid} ${performance.timeOrigin}`;
	}
}
