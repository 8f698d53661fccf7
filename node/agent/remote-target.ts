import type { Listing, Piece, PieceName, Place, Target } from "../volumes/volume.ts";
import type { Connection } from "./connection.ts";
import type { Line, Talk } from "./line.ts";
import { blocksOf, namesOf, PiecePacker, type Run } from "./pieces.ts";

const never = new AbortController().signal;

/**
 * A Target that works on another machine. Pieces are on their way when `write` resolves; those that a broken line has lost
 * are found by `settle`. After a break it goes on by itself: the listing is sent again, and what was written is there.
 */
export class RemoteTarget implements Target {
	readonly #connection: Connection;
	readonly #isRehearsal: (place: Place) => boolean;
	readonly #packer = new PiecePacker();
	#listing: Listing | undefined;
	/** What the agent at the end of this very line knows. */
	#told: { number: number; listing: Listing; hasBegun: boolean } | undefined;
	#writing: { readonly number: number; readonly talk: Talk } | undefined;

	constructor(connection: Connection, isRehearsal: (place: Place) => boolean) {
		this.#connection = connection;
		this.#isRehearsal = isRehearsal;
	}

	async *lacking(listing: Listing, signal: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		this.#listing = listing;
		for (let [attempt, given] = [1, false]; ; attempt++)
			try {
				const line = await this.#connection.line();
				await this.#tell(line, listing, signal);
				for await (const names of this.#lacking(line, signal)) {
					given = true;
					yield names;
				}
				return;
			} catch (error) {
				await this.#connection.mended(error, given ? Number.POSITIVE_INFINITY : attempt, signal);
			}
	}

	write(pieces: readonly Piece[]): Promise<void> {
		return this.#connection.during(undefined, async (line) => {
			const talk = await this.#round(line);
			for (const { path, index, bytes } of pieces) {
				this.#packer.add(index, path, bytes);
				if (this.#packer.isFull) await talk.send(this.#packer.take());
			}
			if (!this.#packer.isEmpty) await talk.send(this.#packer.take());
		});
	}

	async settle(listing: Listing, signal: AbortSignal): Promise<readonly PieceName[]> {
		this.#listing = listing;
		return this.#connection.during(signal, async (line) => {
			await this.#written();
			await this.#tell(line, listing, signal);
			const left: PieceName[] = [];
			for await (const names of this.#names(line, "settle", signal)) left.push(...names);
			return left;
		});
	}

	async copyTo(place: Place, signal: AbortSignal): Promise<void> {
		if (!this.#isRehearsal(place))
			throw new Error("A machine copies to the place it has for rehearsals of this volume");
		await this.#call("copyTo", signal);
	}

	async swap(signal: AbortSignal): Promise<void> {
		await this.#call("swap", signal);
	}

	/** What was written before is put aside first, unless the line breaks. */
	async close(): Promise<void> {
		await this.#written().catch(() => {});
		await this.#connection.close();
		this.#told = undefined;
	}

	async discard(): Promise<void> {
		this.#drop();
		await this.#call("discard", never);
		await this.close();
	}

	async #call(method: string, signal: AbortSignal): Promise<void> {
		await this.#connection.during(signal, async (line) => {
			await this.#written();
			for await (const _ of this.#blocks(line, method, signal));
		});
	}

	/** The talk in which pieces of this round travel; begins the round again where a new agent does not know it yet. */
	async #round(line: Line): Promise<Talk> {
		const { number } = this.#connection;
		if (this.#writing?.number === number) return this.#writing.talk;
		if (this.#listing && (this.#told?.number !== number || !this.#told.hasBegun)) {
			await this.#tell(line, this.#listing, never);
			for await (const _ of this.#lacking(line, never));
		}
		this.#packer.take();
		const talk = line.call("write");
		this.#writing = { number, talk };
		return talk;
	}

	/** Resolves when all that was written is put aside there; throws what kept one of them from it. */
	async #written(): Promise<void> {
		const writing = this.#writing;
		this.#writing = undefined;
		// What went with a line that broke is lost, and will be found missing.
		if (writing?.number !== this.#connection.number) return;
		writing.talk.finish();
		await writing.talk.result();
	}

	#drop(): void {
		this.#writing?.talk.cancel();
		this.#writing = undefined;
	}

	async #tell(line: Line, listing: Listing, signal: AbortSignal): Promise<void> {
		const { number } = this.#connection;
		if (this.#told?.number === number && this.#told.listing === listing) return;
		const talk = line.call("listing", { entries: listing.entries, bytes: listing.bytes });
		for await (const block of blocksOf(listing.batches())) {
			signal.throwIfAborted();
			await talk.send(block);
		}
		talk.finish();
		await talk.result();
		this.#told = { number, listing, hasBegun: false };
	}

	async *#lacking(line: Line, signal: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		await this.#written();
		// Pieces may be written while names still come.
		if (this.#told) this.#told.hasBegun = true;
		yield* this.#names(line, "lacking", signal);
	}

	async *#names(line: Line, method: string, signal: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		for await (const block of this.#blocks(line, method, signal)) yield namesOf(JSON.parse(block.toString()) as Run[]);
	}

	async *#blocks(line: Line, method: string, signal: AbortSignal): AsyncGenerator<Buffer> {
		signal.throwIfAborted();
		const talk = line.call(method);
		const stop = () => talk.cancel();
		signal.addEventListener("abort", stop, { once: true });
		try {
			talk.finish();
			yield* talk.blocks();
		} catch (error) {
			signal.throwIfAborted();
			throw error;
		} finally {
			signal.removeEventListener("abort", stop);
		}
	}
}
