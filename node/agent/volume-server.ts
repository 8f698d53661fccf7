import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { entryOf, Lines } from "../transfer/lines.ts";
import { Removal } from "../volumes/directory/removal.ts";
import type { Entry, Listing, Piece, PieceName, Source, Target } from "../volumes/volume.ts";
import type { Answer, Talk } from "./line.ts";
import { blocksOf, Numbering, namesOf, PiecePacker, type Run, runsOf, unpacked } from "./pieces.ts";

/** Answers calls for a Source that is here. `folder` is the move's own, removed when it is to be forgotten. */
export function answerSource(source: Source, folder: string): Answer {
	const calls: Record<string, (args: never, talk: Talk) => Promise<unknown>> = {
		async list({ frozen }: { frozen: boolean }, talk) {
			for await (const block of blocksOf(source.list({ frozen, signal: talk.signal }))) await talk.send(block);
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
	let listing: Listing | undefined;
	const turn = turns();
	const known = () => {
		if (!listing) throw new Error("There is no listing yet");
		return listing;
	};
	const calls: Record<string, (args: never, talk: Talk) => Promise<unknown>> = {
		async listing(about: { entries: number; bytes: number }, talk) {
			const file = join(folder, "listing.ndjson");
			await keep(file, talk);
			listing = { ...about, batches: () => batchesIn(file) };
		},
		async lacking(_, talk) {
			const batches = target.lacking(known(), talk.signal)[Symbol.asyncIterator]();
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
		async settle(_, talk) {
			await sendNames(await target.settle(known(), talk.signal), talk);
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

/** Listings are read more than once and may be long: they lie in a file. */
async function keep(file: string, talk: Talk): Promise<void> {
	mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
	const fd = openSync(file, "w", 0o600);
	try {
		for await (const block of talk.blocks()) for (let at = 0; at < block.length; ) at += writeSync(fd, block, at);
	} finally {
		closeSync(fd);
	}
}

const entriesAtOnce = 500;

async function* batchesIn(file: string): AsyncGenerator<readonly Entry[]> {
	const lines = new Lines(file);
	try {
		for (let batch: Entry[] = []; ; batch = []) {
			for (let line = lines.next(); line; line = batch.length < entriesAtOnce ? lines.next() : undefined)
				batch.push(entryOf(line));
			if (batch.length === 0) return;
			yield batch;
			await new Promise<void>((resolve) => setImmediate(resolve));
		}
	} finally {
		lines.close();
	}
}

const namesAtOnce = 2000;

async function sendNames(names: readonly PieceName[], talk: Talk): Promise<void> {
	for (let start = 0; start < names.length; start += namesAtOnce)
		await talk.send(Buffer.from(JSON.stringify(runsOf(names.slice(start, start + namesAtOnce)))));
}

function piecesIn(block: Buffer): Piece[] {
	return [...unpacked(block)].map(({ number, path, bytes }) => ({ path, index: number, bytes }));
}
