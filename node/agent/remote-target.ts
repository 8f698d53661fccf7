import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Lines } from "../transfer/lines.ts";
import type { Change, Listing, Piece, PieceName, Place, Target } from "../volumes/volume.ts";
import { call } from "./call.ts";
import type { Connection } from "./connection.ts";
import type { Line, Talk } from "./line.ts";
import { keptIn } from "./listing-files.ts";
import type { ListingAbout } from "./listings.ts";
import { blocksOf, namesOf, PiecePacker, type Run } from "./pieces.ts";

const never = new AbortController().signal;

/**
 * A Target that works on another machine. Pieces are on their way when `write` resolves; those that a broken line has lost
 * are found by `settle`. After a break it goes on by itself: the listing is told again, and what was written is there.
 */
export class RemoteTarget implements Target {
	readonly #connection: Connection;
	readonly #scratch: string;
	readonly #isRehearsal: (place: Place) => boolean;
	readonly #packer = new PiecePacker();
	#listing: Listing | undefined;
	/** What the agent at the end of this very line knows. */
	#told: { number: number; listing: Listing; hasBegun: boolean } | undefined;
	#writing: { readonly number: number; readonly talk: Talk } | undefined;

	constructor(connection: Connection, scratch: string, isRehearsal: (place: Place) => boolean) {
		this.#connection = connection;
		this.#scratch = scratch;
		this.#isRehearsal = isRehearsal;
	}

	/** Gives nothing before all names are here, so that a line that breaks makes none come twice. */
	async *lacking(listing: Listing, signal: AbortSignal): AsyncGenerator<readonly PieceName[]> {
		this.#listing = listing;
		mkdirSync(this.#scratch, { recursive: true, mode: 0o700 });
		const file = join(this.#scratch, "lacking");
		await this.#connection.during(signal, async (line) => {
			await this.#tell(line, listing, signal);
			await keptIn(file, inLines(this.#lacking(line, signal)));
		});
		const lines = new Lines(file);
		try {
			for (let runs = lines.next(); runs; runs = lines.next()) yield namesIn(runs);
		} finally {
			lines.close();
			rmSync(file, { force: true });
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

	async settle(
		listing: Listing,
		signal: AbortSignal,
		{ isLive = false }: { readonly isLive?: boolean } = {},
	): Promise<readonly PieceName[]> {
		this.#listing = listing;
		return this.#connection.during(signal, async (line) => {
			await this.#written();
			await this.#tell(line, listing, signal);
			const left: PieceName[] = [];
			for await (const runs of call(line, "settle", { isLive }, signal)) left.push(...namesIn(runs));
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
		rmSync(this.#scratch, { recursive: true, force: true });
	}

	async #call(method: string, signal: AbortSignal): Promise<void> {
		await this.#connection.during(signal, async (line) => {
			await this.#written();
			for await (const _ of call(line, method, {}, signal));
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

	/** As little as may be: of a listing that is known there nothing, and else its changes where these are known here. */
	async #tell(line: Line, listing: Listing, signal: AbortSignal): Promise<void> {
		const { number } = this.#connection;
		if (this.#told?.number === number && this.#told.listing === listing) return;
		const known = listing.digest === undefined ? null : await this.#known(line, signal);
		const changes = known === null ? undefined : listing.since?.(known);
		const isThere =
			(known !== null && known === listing.digest && (await this.#say(line, listing, "known", none(), signal))) ||
			(changes !== undefined && (await this.#say(line, listing, "changes", changesIn(changes), signal)));
		if (!isThere) await this.#say(line, listing, "whole", blocksOf(listing.batches()), signal);
		this.#told = { number, listing, hasBegun: false };
	}

	/** The digest of the listing that lies there. */
	async #known(line: Line, signal: AbortSignal): Promise<string | null> {
		const { value } = await call(line, "known", {}, signal).next();
		return value as string | null;
	}

	/** Whether it lies there now. */
	async #say(
		line: Line,
		{ entries, bytes, digest }: Listing,
		as: ListingAbout["as"],
		blocks: AsyncIterable<Buffer>,
		signal: AbortSignal,
	): Promise<boolean> {
		const talk = line.call("listing", { entries, bytes, digest, as } satisfies ListingAbout);
		for await (const block of blocks) {
			signal.throwIfAborted();
			await talk.send(block);
		}
		talk.finish();
		return (await talk.result()) === true;
	}

	async *#lacking(line: Line, signal: AbortSignal): AsyncGenerator<Buffer> {
		await this.#written();
		// Pieces may be written while names still come.
		if (this.#told) this.#told.hasBegun = true;
		yield* call(line, "lacking", {}, signal);
	}
}

const namesIn = (runs: Buffer) => namesOf(JSON.parse(runs.toString()) as Run[]);
const newline = Buffer.from("\n");

async function* inLines(blocks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	for await (const block of blocks) {
		yield block;
		yield newline;
	}
}

async function* none(): AsyncGenerator<Buffer> {}

const changesAtOnce = 1000;

async function* changesIn(changes: readonly Change[]): AsyncGenerator<Buffer> {
	for (let start = 0; start < changes.length; start += changesAtOnce) {
		const some = changes.slice(start, start + changesAtOnce);
		yield Buffer.from(some.map((change) => `${JSON.stringify(change)}\n`).join(""));
	}
}
