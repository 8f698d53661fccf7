import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Entry, Piece, PieceName, Source } from "../volumes/volume.ts";
import { call } from "./call.ts";
import type { Connection } from "./connection.ts";
import type { Line } from "./line.ts";
import { entriesIn, keptIn, ListingFiles } from "./listing-files.ts";
import { runsOf, unpacked } from "./pieces.ts";
import { hear, type Told } from "./told.ts";

/** Names asked for in one call. */
const namesAtOnce = 4096;

/** A Source that works on another machine: only what is listed, and pieces asked for, cross the line. */
export class RemoteSource implements Source {
	readonly #connection: Connection;
	readonly #scratch: string;
	readonly #files: ListingFiles;
	#base: string | null | undefined;

	/** In `scratch` the last listing is kept, so that of the next one only the difference has to come. */
	constructor(connection: Connection, scratch: string) {
		this.#connection = connection;
		this.#scratch = scratch;
		this.#files = new ListingFiles(join(scratch, "listings"));
	}

	/** Gives nothing before all is here: what a line that breaks has lost is listed again, and then nothing comes twice. */
	async *list(options: { frozen: boolean; signal: AbortSignal; fixed?(): void }): AsyncGenerator<readonly Entry[]> {
		const digest = await this.#connection.during(options.signal, (line) => this.#listed(line, options));
		this.#base = digest;
		yield* entriesIn(this.#files.file(digest));
	}

	/** Goes on after the last piece that came when the line breaks. */
	async *read(wanted: readonly PieceName[], signal: AbortSignal): AsyncGenerator<readonly Piece[]> {
		for (let [next, attempt] = [0, 1]; next < wanted.length; ) {
			const some = wanted.slice(next, next + namesAtOnce);
			const first = next;
			try {
				const line = await this.#connection.line();
				for await (const block of call(line, "read", { wanted: runsOf(some) }, signal)) {
					const pieces: Piece[] = [];
					for (const { number, bytes } of unpacked(block)) {
						const name = some[number];
						if (!name) throw new Error("The machine gave a piece that nobody has asked for");
						pieces.push({ ...name, bytes });
						next = Math.max(next, first + number + 1);
					}
					attempt = 1;
					yield pieces;
				}
				next = first + some.length;
			} catch (error) {
				await this.#connection.mended(error, attempt++, signal);
			}
		}
	}

	close(): Promise<void> {
		return this.#connection.close();
	}

	async forget(): Promise<void> {
		await this.#connection.during(undefined, (line) => {
			const talk = line.call("forget");
			talk.finish();
			return talk.result();
		});
		await this.close();
		rmSync(this.#scratch, { recursive: true, force: true });
	}

	async #listed(
		line: Line,
		{ frozen, signal, fixed }: { frozen: boolean; signal: AbortSignal; fixed?(): void },
	): Promise<string> {
		if (this.#base === undefined) this.#base = this.#files.whole();
		const part = this.#files.part();
		const calling = call(line, "list", { frozen, base: this.#base }, signal);
		let told: unknown;
		async function* lines() {
			for (let next = await calling.next(); ; next = await calling.next()) {
				if (next.done) {
					told = next.value;
					return;
				}
				if (next.value.length > 0) yield next.value;
				else fixed?.();
			}
		}
		await keptIn(part, lines());
		if (await hear(this.#files, part, told as Told)) return (told as Told).digest;
		if (this.#base === null) throw new Error("The machine has listed something else than it says");
		this.#base = null;
		return this.#listed(line, { frozen, signal, ...(fixed && { fixed }) });
	}
}
