import { existsSync } from "node:fs";
import type { StreamKey } from "#protocol/migration/seal.ts";
import { Problem } from "#protocol/problem.ts";
import type { Piece, PieceName, Source } from "../volumes/volume.ts";
import { ahead } from "./ahead.ts";
import { contextOf, Packer, Sealer } from "./frames.ts";
import { fileOf, type Giving, type Manifest } from "./inventory.ts";
import { Entries } from "./lines.ts";
import { decodeRequest, type Want } from "./wants.ts";

export interface Shipment {
	readonly manifest: Manifest;
	/** The request as it came, at most `mostRequestBytes`. */
	readonly request: Uint8Array;
	/** Where `takeInventory` has put the listings. */
	readonly folder: string;
	readonly sources: readonly Giving[];
	/** For this stream alone. */
	readonly key: StreamKey;
	readonly sid: string;
	readonly signal: AbortSignal;
	/** Hears of bytes that go on the wire. */
	measure?(bytes: number): void;
}

/** Names asked of a source at once. */
const handful = 2048;

/**
 * The pieces asked for, in that order, sealed; a Source reads ahead while what it gave before travels. Pieces that are no
 * longer there are left out. Throws a Problem at once if the request is not valid or not about this manifest.
 */
export function ship(shipment: Shipment): AsyncGenerator<Buffer, void, void> {
	const { listing, wants } = decodeRequest(shipment.request);
	const volume = shipment.manifest.volumes.find((one) => one.listing === listing);
	const giving = shipment.sources.find(({ service, name }) => service === volume?.service && name === volume.name);
	const file = fileOf(shipment.folder, listing);
	if (!volume || !giving || !existsSync(file)) throw new Problem("not-found");
	return sealed(piecesRead(file, wants, giving.source, shipment.signal), shipment);
}

/** Pieces with the number that the first of the names they were asked by has. */
interface Batch {
	readonly handful: Handful;
	readonly pieces: readonly Piece[];
}

async function* sealed(batches: AsyncIterable<Batch>, { key, sid, request, signal, measure }: Shipment) {
	const sealer = new Sealer(key, contextOf(sid, request));
	const packer = new Packer();
	const frame = (isLast: boolean) => {
		const buffers = sealer.frame(packer.take(), isLast);
		measure?.(buffers.reduce((sum, { length }) => sum + length, 0));
		return buffers;
	};
	for await (const { handful, pieces } of ahead(batches)) {
		signal.throwIfAborted();
		for (const piece of pieces) {
			if (packer.isFullFor(piece.bytes.length)) yield* frame(false);
			packer.add(handful.numberOf(piece), piece.bytes);
		}
	}
	yield* frame(true);
}

async function* piecesRead(file: string, wants: readonly Want[], source: Source, signal: AbortSignal) {
	for (const handful of handfuls(file, wants))
		for await (const pieces of source.read(handful.names, signal)) yield { handful, pieces };
}

/** Names asked of a source at once, and which of all the pieces asked for they are. */
class Handful {
	readonly names: PieceName[] = [];
	readonly #first: number;
	#at = 0;

	constructor(first: number) {
		this.#first = first;
	}

	/** Pieces come in the order of their names, some left out. */
	numberOf({ path, index }: PieceName): number {
		for (; this.#at < this.names.length; this.#at++) {
			const name = this.names[this.#at];
			if (name?.index === index && name.path === path) return this.#first + this.#at;
		}
		throw new Error(`The source gave piece ${index} of ${path} out of order`);
	}
}

function* handfuls(file: string, wants: readonly Want[]): Generator<Handful> {
	const entries = new Entries(file);
	try {
		let names = new Handful(0);
		let number = 0;
		for (const want of wants) {
			const { path, pieces } = entries.at(want.line) ?? { path: "", pieces: [] };
			if (want.first + want.count > pieces.length) throw new Problem("not-valid");
			for (let at = 0; at < want.count; at++, number++) {
				if (names.names.length === handful) {
					yield names;
					names = new Handful(number);
				}
				names.names.push({ path, index: want.first + at });
			}
		}
		if (number > 0) yield names;
	} finally {
		entries.close();
	}
}
