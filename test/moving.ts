import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { newSealPair, newStreamKey, type SealPair } from "#protocol/migration/seal.ts";
import { type Manifest, takeInventory } from "../node/transfer/inventory.ts";
import { readListing } from "../node/transfer/listings.ts";
import type { SealedStream } from "../node/transfer/pull.ts";
import { type ReceiveOptions, receive, type Wire } from "../node/transfer/receive.ts";
import { ship } from "../node/transfer/ship.ts";
import { pieceSize } from "../node/volumes/volume.ts";
import { GivingShelf, TakingShelf } from "./shelf.ts";

/** Something on its way between two shelves, with a folder for each side and no network between. */
export class Moving {
	readonly folder = mkdtempSync(join(tmpdir(), "transfer-"));
	readonly there = join(this.folder, "source");
	readonly here = join(this.folder, "target");
	readonly sid = "c2lkLWZvci10ZXN0cw";
	readonly keys: SealPair;
	readonly giving = new GivingShelf({
		empty: "",
		"album/": "",
		"album/a.txt": "a",
		"album/big": randomBytes(3 * pieceSize + 17),
		"album/copy of a.txt": "a",
		z: randomBytes(1000),
	});
	readonly taking = new TakingShelf();
	readonly requests: Uint8Array[] = [];
	readonly listings: [from: number, base?: string][] = [];
	readonly waits: number[] = [];

	static async begin(): Promise<Moving> {
		return new Moving(await newSealPair());
	}

	constructor(keys: SealPair) {
		this.keys = keys;
	}

	inventory(round = 1, final = false): Promise<Manifest> {
		const { there: folder, sources } = this;
		return takeInventory({ sources, round, final, folder, signal: new AbortController().signal });
	}

	get sources() {
		return [{ service: "snac", name: "data", kind: "directory" as const, source: this.giving }];
	}

	wire(manifest: Manifest): Wire {
		return {
			listing: (digest, from, base) => {
				this.listings.push(base === undefined ? [from] : [from, base]);
				return readListing(this.there, digest, from, base);
			},
			pieces: (request) => this.pieces(manifest, request),
		};
	}

	/** An honest answer. */
	async pieces(manifest: Manifest, request: Uint8Array): Promise<SealedStream> {
		this.requests.push(request);
		const key = await newStreamKey(this.keys.publicKey);
		const { sid, there: folder, sources } = this;
		const { signal } = new AbortController();
		const stream = ship({ manifest, request, folder, sources, key, sid, signal });
		return { stream: Readable.from(stream, { objectMode: false }), header: key.header };
	}

	take(manifest: Manifest, more: Partial<ReceiveOptions> = {}) {
		return receive({
			...{ manifest, wire: this.wire(manifest), folder: this.here, sid: this.sid, keys: this.keys },
			targets: [{ service: "snac", name: "data", target: this.taking }],
			limits: { bytes: 100_000_000, entries: 1000 },
			signal: new AbortController().signal,
			wait: async (milliseconds) => {
				this.waits.push(milliseconds);
			},
			...more,
		});
	}

	/** Files on either side, without folders. */
	get given() {
		return new Map([...this.giving.files].filter(([path]) => !path.endsWith("/")).sort());
	}

	get taken() {
		return new Map([...this.taking.files].sort());
	}

	end(): void {
		rmSync(this.folder, { recursive: true });
	}
}
