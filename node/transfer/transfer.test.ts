import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Moving } from "../../test/moving.ts";
import { pieceSize } from "../volumes/volume.ts";
import type { Progressed } from "./meter.ts";

let moving: Moving;
beforeEach(async () => {
	moving = await Moving.begin();
});
afterEach(() => moving.end());

test("a first round brings everything, each distinct piece once", async () => {
	const progress: Progressed[] = [];
	const received = await moving.take(await moving.inventory(), { progress: (one) => progress.push(one) });
	expect(moving.taken).toEqual(moving.given);
	expect(moving.requests).toHaveLength(1);
	expect(received).toMatchObject({ pieces: 6, entries: 6, damaged: 0, skipped: 0 });
	const bytes = 3 * pieceSize + 1018;
	expect(received.bytes).toBeGreaterThan(bytes);
	expect(received.bytes).toBeLessThan(bytes + 2500);
	expect(progress.at(-1)).toMatchObject({ bytes, bytesOf: bytes, items: 3, itemsOf: 3 });
});

test("a second round brings what has changed, and of the listing what differs", async () => {
	await moving.take(await moving.inventory());
	moving.giving.files.set("z", Buffer.from("changed"));
	moving.giving.files.delete("empty");
	moving.listings.length = 0;
	const received = await moving.take(await moving.inventory(2));
	expect(moving.taken).toEqual(moving.given);
	expect(received).toMatchObject({ pieces: 1, entries: 5, damaged: 0 });
	expect(received.bytes).toBeLessThan(600);
	expect(moving.listings).toEqual([[0, expect.stringMatching(/^[\w-]{43}$/)]]);
});

test("where nothing has changed, nothing is asked", async () => {
	await moving.take(await moving.inventory());
	const asked = [moving.requests.length, moving.listings.length];
	expect(await moving.take(await moving.inventory(2, true))).toMatchObject({ bytes: 0, pieces: 0 });
	expect([moving.requests.length, moving.listings.length]).toEqual(asked);
});

test("nothing but the latest listings stays", async () => {
	for (let round = 1; round <= 4; round++) {
		moving.giving.files.set("z", Buffer.from(`round ${round}`));
		await moving.take(await moving.inventory(round));
	}
	const listings = (folder: string) => readdirSync(folder).filter((file) => file.endsWith(".ndjson"));
	expect(listings(moving.there)).toHaveLength(2);
	expect(listings(moving.here)).toHaveLength(1);
	expect(readdirSync(moving.here).filter((file) => file.endsWith(".part"))).toEqual([]);
});

test("what changed or vanished since it was listed is left to the next round", async () => {
	const manifest = await moving.inventory();
	moving.giving.files.set("z", Buffer.alloc(1000, 1));
	moving.giving.files.delete("album/big");
	expect(await moving.take(manifest)).toMatchObject({ skipped: 5, damaged: 0, pieces: 1 });
	expect(moving.requests).toHaveLength(1);
	expect(await moving.take(await moving.inventory(2))).toMatchObject({ skipped: 0, pieces: 1 });
	expect(moving.taken).toEqual(moving.given);
});

test("a piece that has changed in one place is taken from another", async () => {
	const manifest = await moving.inventory();
	moving.giving.files.set("album/a.txt", Buffer.from("b"));
	expect(await moving.take(manifest)).toMatchObject({ skipped: 1, pieces: 6 });
	expect(moving.taken.get("album/a.txt")).toEqual(Buffer.from("a"));
});

test("in the final round it is asked for again", async () => {
	const z = moving.giving.files.get("z") as Buffer;
	const manifest = await moving.inventory(1, true);
	moving.giving.files.delete("z");
	const wire = moving.wire(manifest);
	const pieces = async (request: Uint8Array) => {
		if (moving.requests.length === 2) moving.giving.files.set("z", z);
		return wire.pieces(request);
	};
	expect(await moving.take(manifest, { wire: { ...wire, pieces } })).toMatchObject({ skipped: 0, pieces: 6 });
	expect(moving.requests).toHaveLength(3);
	expect(moving.taken).toEqual(moving.given);
});

test("what stays different in the final round makes the copy unfaithful", async () => {
	const manifest = await moving.inventory(1, true);
	moving.giving.files.set("z", Buffer.alloc(1000, 1));
	await expect(moving.take(manifest)).rejects.toMatchObject({
		code: "copy-unfaithful",
		params: { count: "1", paths: "z" },
	});
	// Asked for a bounded number of times, and nobody asks again for what has this status.
	expect(moving.requests).toHaveLength(4);
	await expect(moving.take(manifest)).rejects.toMatchObject({ status: 422 });
});

test("what was damaged here after it had come is fetched again", async () => {
	let damage = 2;
	const settle = moving.taking.settle.bind(moving.taking);
	moving.taking.settle = async (listing) => {
		for (const bytes of moving.taking.aside.values()) if (damage-- > 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
		return settle(listing);
	};
	expect(await moving.take(await moving.inventory())).toMatchObject({ damaged: 2, skipped: 0, pieces: 8 });
	expect(moving.taken).toEqual(moving.given);
});

test("a source reads no further ahead than what travels", async () => {
	for (let at = 0; at < 400; at++) moving.giving.files.set(`many/${at}`, Buffer.alloc(100_000, `${at} `));
	moving.giving.files.set("many/", Buffer.alloc(0));
	const files = [...moving.giving.files].sort(([a], [b]) => (a < b ? -1 : 1));
	moving.giving.files.clear();
	for (const [path, bytes] of files) moving.giving.files.set(path, bytes);
	let most = 0;
	let written = 0;
	moving.taking.beforeWrite = async (pieces) => {
		await new Promise((resolve) => setImmediate(resolve));
		written += pieces.length;
		most = Math.max(most, moving.giving.asked.size - written);
	};
	expect(await moving.take(await moving.inventory())).toMatchObject({ pieces: 406 });
	// Two batches of a hundred at the source, a frame or two on the way, and 4 MiB that wait to be written.
	expect(most).toBeLessThan(330);
});
