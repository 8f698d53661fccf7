import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newSealPair, newStreamKey, type SealPair } from "#protocol/migration/seal.ts";
import { GivingShelf, TakingShelf } from "../../test/shelf.ts";
import { pieceSize } from "../volumes/volume.ts";
import { type Manifest, takeInventory } from "./inventory.ts";
import { readListing } from "./listings.ts";
import type { Progressed } from "./meter.ts";
import { type ReceiveOptions, receive, type Wire } from "./receive.ts";
import { ship } from "./ship.ts";

let folder: string;
let keys: SealPair;
let giving: GivingShelf;
let taking: TakingShelf;
const { signal } = new AbortController();
const sid = "c2lkLWZvci10ZXN0cw";

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "transfer-"));
	keys = await newSealPair();
	taking = new TakingShelf();
	giving = new GivingShelf({
		empty: "",
		"album/": "",
		"album/a.txt": "a",
		"album/big": randomBytes(3 * pieceSize + 17),
		"album/copy of a.txt": "a",
		z: randomBytes(1000),
	});
});
afterEach(() => rmSync(folder, { recursive: true }));

const sources = () => [{ service: "snac", name: "data", kind: "directory" as const, source: giving }];
const there = () => join(folder, "source");
const here = () => join(folder, "target");

function inventory(round = 1, final = false): Promise<Manifest> {
	return takeInventory({ sources: sources(), round, final, folder: there(), signal });
}

/** The source's answers, without a network between. */
function wireTo(manifest: Manifest): Wire & { requests: Uint8Array[]; listings: [from: number, base?: string][] } {
	const requests: Uint8Array[] = [];
	const listings: [number, string?][] = [];
	return {
		requests,
		listings,
		listing: (digest, from, base) => {
			listings.push(base === undefined ? [from] : [from, base]);
			return readListing(there(), digest, from, base);
		},
		pieces: async (request) => {
			requests.push(request);
			const key = await newStreamKey(keys.publicKey);
			const stream = Readable.from(ship({ manifest, request, folder: there(), sources: sources(), key, sid, signal }), {
				objectMode: false,
			});
			return { stream, header: key.header };
		},
	};
}

function take(manifest: Manifest, wire: Wire, more: Partial<ReceiveOptions> = {}) {
	return receive({
		...{ manifest, wire, folder: here(), sid, keys, signal },
		targets: [{ service: "snac", name: "data", target: taking }],
		limits: { bytes: 100_000_000, entries: 1000 },
		wait: async () => {},
		...more,
	});
}

const files = (shelf: { files: Map<string, Buffer> }) =>
	new Map([...shelf.files].filter(([path]) => !path.endsWith("/")).sort());

test("a first round brings everything, each distinct piece once", async () => {
	const manifest = await inventory();
	const wire = wireTo(manifest);
	const progress: Progressed[] = [];
	const received = await take(manifest, wire, { progress: (one) => progress.push(one) });
	expect(files(taking)).toEqual(files(giving));
	expect(wire.requests).toHaveLength(1);
	expect(received).toMatchObject({ pieces: 6, entries: 6, damaged: 0, skipped: 0 });
	expect(received.bytes).toBeGreaterThan(3 * pieceSize + 1018);
	expect(received.bytes).toBeLessThan(3 * pieceSize + 1018 + 2500);
	expect(progress.at(-1)).toMatchObject({
		bytes: 3 * pieceSize + 1018,
		bytesOf: 3 * pieceSize + 1018,
		items: 3,
		itemsOf: 3,
	});
});

test("a second round brings what has changed, and of the listing what differs", async () => {
	await take(await inventory(), wireTo(await inventory()));
	giving.files.set("z", Buffer.from("changed"));
	giving.files.delete("empty");
	const second = await inventory(2);
	const wire = wireTo(second);
	const received = await take(second, wire);
	expect(files(taking)).toEqual(files(giving));
	expect(received).toMatchObject({ pieces: 1, entries: 5 });
	expect(received.bytes).toBeLessThan(600);
	expect(wire.listings).toEqual([[0, expect.stringMatching(/^[\w-]{43}$/)]]);
});

test("where nothing has changed, nothing is asked", async () => {
	const first = await inventory();
	await take(first, wireTo(first));
	const second = await inventory(2, true);
	const wire = wireTo(second);
	expect(await take(second, wire)).toMatchObject({ bytes: 0, pieces: 0 });
	expect([wire.requests, wire.listings]).toEqual([[], []]);
});

test("nothing but the latest listings stays", async () => {
	for (let round = 1; round <= 4; round++) {
		giving.files.set("z", Buffer.from(`round ${round}`));
		const manifest = await inventory(round);
		await take(manifest, wireTo(manifest));
	}
	const listings = (folder: string) => readdirSync(folder).filter((file) => file.endsWith(".ndjson"));
	expect(listings(there())).toHaveLength(2);
	expect(listings(here())).toHaveLength(1);
	expect(readdirSync(here()).filter((file) => file.endsWith(".part"))).toEqual([]);
});
