import { join } from "node:path";
import { Removal } from "../volumes/directory/removal.ts";
import type { Piece, PieceName, Source, Target } from "../volumes/volume.ts";
import type { Answer, Talk } from "./line.ts";
import { ListingFiles } from "./listing-files.ts";
import { type ListingAbout, Listings } from "./listings.ts";
import { Numbering, namesOf, PiecePacker, type Run, runsOf, unpacked } from "./pieces.ts";
import { tell } from "./told.ts";

/** Answers calls for a Source that is here. `folder` is the move's own, removed when it is to be forgotten. */
export function answerSource(source: Source, folder: string): Answer {
	const files = new ListingFiles(join(folder, "listings"));
	const calls: Record<string, (args: never, talk: Talk) => Promise<unknown>> = {
		list({ frozen, base }: { frozen: boolean; base: string | null }, talk) {
			// A block without a byte says that the moment is past as of which a database is listed.
			const fixed = () => void talk.send(Buffer.alloc(0)).catch(() => {});
			const batches = source.list({ frozen, signal: talk.signal, fixed });
			return tell(files, base, batches, (block) => talk.send(block));
		},
		async read({ wanted }: { wanted: readonly Run[] }, talk) {
			const names = namesOf(wanted);
			const numbering = new Numbering(names);
			const packer = new PiecePacker();
			for await (const batch of source.read(names, talk.signal))
				for (const piece of batch) {
					packer.add(numbering.of(piece), "", piece.bytes);
					if (packer.isFull) await talk.send(packer.take());
				}
			if (!packer.isEmpty) await talk.send(packer.take());
		},
		async forget() {
			await source.forget();
			await new Removal().remove(folder);
		},
	};
	return (method, args, talk) => called(calls, method, args, talk);
}

export interface TargetServer {
	readonly target: Target;
	readonly folder: string;
	/** Puts a copy where a rehearsal of this service finds it. */
	copyTo(signal: AbortSignal): Promise<void>;
}

/** Answers calls for a Target that is here. */
export function answerTarget({ target, folder, copyTo }: TargetServer): Answer {
	const listings = new Listings(join(folder, "listings"));
	const turn = turns();
	const calls: Record<string, (args: never, talk: Talk) => Promise<unknown>> = {
		known: async () => listings.known(),
		listing: (about: ListingAbout, talk) => listings.take(about, talk.blocks()),
		async lacking(_, talk) {
			const batches = target.lacking(listings.last, talk.signal)[Symbol.asyncIterator]();
			try {
				for (let some = await turn(() => batches.next()); !some.done; some = await turn(() => batches.next()))
					await sendNames(some.value, talk);
			} finally {
				await batches.return?.();
			}
		},
		async write(_, talk) {
			for await (const block of talk.blocks()) await turn(() => target.write(piecesIn(block)));
		},
		async settle(how: { isLive: boolean }, talk) {
			await sendNames(await target.settle(listings.last, talk.signal, how), talk);
		},
		copyTo: (_, talk) => copyTo(talk.signal),
		swap: (_, talk) => target.swap(talk.signal),
		async discard() {
			await target.discard();
			await new Removal().remove(folder);
		},
	};
	return (method, args, talk) => called(calls, method, args, talk);
}

/** A Target writes between two batches of what it lacks, as it would if whoever asks were here, and never in the middle of one. */
function turns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
	let last: Promise<unknown> = Promise.resolve();
	return (work) => {
		const done = last.then(work);
		last = done.catch(() => {});
		return done;
	};
}

async function called(
	calls: Record<string, (args: never, talk: Talk) => Promise<unknown>>,
	method: string,
	args: unknown,
	talk: Talk,
): Promise<unknown> {
	const call = Object.hasOwn(calls, method) ? calls[method] : undefined;
	if (!call) throw new Error(`There is no call ${method}`);
	return call(args as never, talk);
}

const namesAtOnce = 2000;

async function sendNames(names: readonly PieceName[], talk: Talk): Promise<void> {
	for (let start = 0; start < names.length; start += namesAtOnce)
		await talk.send(Buffer.from(JSON.stringify(runsOf(names.slice(start, start + namesAtOnce)))));
}

function piecesIn(block: Buffer): Piece[] {
	return [...unpacked(block)].map(({ number, path, bytes }) => ({ path, index: number, bytes }));
}
