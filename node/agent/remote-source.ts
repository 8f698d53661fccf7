import type { Entry, Piece, PieceName, Source } from "../volumes/volume.ts";
import type { Connection } from "./connection.ts";
import { entriesOf, runsOf, unpacked } from "./pieces.ts";

/** Names asked for in one call. */
const namesAtOnce = 4096;

/** A Source that works on another machine: only what is listed, and pieces asked for, cross the line. */
export class RemoteSource implements Source {
	readonly #connection: Connection;

	constructor(connection: Connection) {
		this.#connection = connection;
	}

	/** Where the line breaks in the middle, this throws `machine-silent`, since what was listed so far is not to be repeated. */
	async *list(options: { frozen: boolean; signal: AbortSignal }): AsyncGenerator<readonly Entry[]> {
		const { frozen, signal } = options;
		for (let [attempt, given] = [1, false]; ; attempt++)
			try {
				for await (const block of this.#blocks("list", { frozen }, signal)) {
					given = true;
					yield entriesOf(block);
				}
				return;
			} catch (error) {
				await this.#connection.mended(error, given ? Number.POSITIVE_INFINITY : attempt, signal);
			}
	}

	/** Goes on after the last piece that came when the line breaks. */
	async *read(wanted: readonly PieceName[], signal: AbortSignal): AsyncGenerator<readonly Piece[]> {
		for (let [next, attempt] = [0, 1]; next < wanted.length; ) {
			const some = wanted.slice(next, next + namesAtOnce);
			const first = next;
			try {
				for await (const block of this.#blocks("read", { wanted: runsOf(some) }, signal)) {
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
	}

	async *#blocks(method: string, args: unknown, signal: AbortSignal): AsyncGenerator<Buffer> {
		signal.throwIfAborted();
		const talk = (await this.#connection.line()).call(method, args);
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
