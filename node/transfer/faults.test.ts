import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { Moving } from "../../test/moving.ts";
import type { Manifest } from "./inventory.ts";
import type { SealedStream } from "./pull.ts";
import type { Wire } from "./receive.ts";

let moving: Moving;
beforeEach(async () => {
	moving = await Moving.begin();
});
afterEach(() => moving.end());

async function bytesOf(stream: Readable): Promise<Buffer> {
	return Buffer.concat((await stream.toArray()) as Buffer[]);
}

/** What comes, and then the connection breaks. */
function torn(bytes: Buffer): Readable {
	return Readable.from(
		(async function* () {
			yield bytes;
			throw new Error("ECONNRESET");
		})(),
		{ objectMode: false },
	);
}

type Bend = (bytes: Buffer, time: number) => Readable | Buffer;

/** The honest source, but for what is done to the bytes of its answers; times count from 0. */
function bent(manifest: Manifest, { pieces, listing }: { pieces?: Bend; listing?: Bend }): Wire {
	const wire = moving.wire(manifest);
	let times = 0;
	const bend = async (answer: Readable, how: Bend | undefined) => {
		if (!how) return answer;
		const bytes = how(await bytesOf(answer), times++);
		return bytes instanceof Readable ? bytes : Readable.from([bytes]);
	};
	return {
		listing: async (...args) => bend(await wire.listing(...args), listing),
		pieces: async (request) => {
			const { stream, header } = await wire.pieces(request);
			return { stream: await bend(stream, pieces), header };
		},
	};
}

function flipped(bytes: Buffer, at: number): Buffer {
	bytes[at] = (bytes[at] ?? 0) ^ 4;
	return bytes;
}

describe("a stream of pieces that", () => {
	test.each([
		["breaks off before the first byte", (bytes: Buffer) => torn(bytes.subarray(0, 0))],
		["breaks off in its key", (bytes: Buffer) => torn(bytes.subarray(0, 40))],
		["breaks off in the first frame", (bytes: Buffer) => torn(bytes.subarray(0, 5000))],
		["breaks off just before its end", (bytes: Buffer) => torn(bytes.subarray(0, -1))],
		["ends too early without a word", (bytes: Buffer) => bytes.subarray(0, 600_000)],
		["has another key", (bytes: Buffer) => flipped(bytes, 20)],
		["has no key", (bytes: Buffer) => flipped(bytes, 1)],
		["has a frame that was changed", (bytes: Buffer) => flipped(bytes, 500_000)],
		["has a tag that was changed", (bytes: Buffer) => flipped(bytes, bytes.length - 1)],
		["has a frame with another length", (bytes: Buffer) => flipped(bytes, 85)],
		["has a frame too long", (bytes: Buffer) => flipped(flipped(bytes, 82), 83)],
	])("%s is asked for again", async (_what, bend) => {
		const manifest = await moving.inventory(1, true);
		const wire = bent(manifest, { pieces: (bytes, time) => (time === 0 ? bend(bytes) : bytes) });
		expect(await moving.take(manifest, { wire })).toMatchObject({ pieces: 6, damaged: 0 });
		expect(moving.taken).toEqual(moving.given);
		expect(moving.requests).toHaveLength(2);
	});

	test("goes on after its end gives all it has", async () => {
		const manifest = await moving.inventory();
		const wire = bent(manifest, { pieces: (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]) });
		await moving.take(manifest, { wire });
		expect(moving.taken).toEqual(moving.given);
	});

	test("breaks off again and again gets on nevertheless, and asks only for what is lacking", async () => {
		for (let at = 0; at < 40; at++) moving.giving.files.set(`z${at}`, Buffer.alloc(250_000, `${at} `));
		const manifest = await moving.inventory();
		const wire = bent(manifest, { pieces: (bytes) => torn(bytes.subarray(0, 1_200_000)) });
		expect(await moving.take(manifest, { wire })).toMatchObject({ pieces: 46 });
		expect(moving.taken).toEqual(moving.given);
		expect(moving.requests.length).toBeGreaterThan(9);
		expect(Math.max(...moving.waits)).toBeLessThanOrEqual(500);
	});

	test("answered another request is refused", async () => {
		const manifest = await moving.inventory();
		const answers: SealedStream[] = [];
		const wire = moving.wire(manifest);
		const { stream, header } = await moving.pieces(manifest, await request(manifest));
		const bytes = await bytesOf(stream);
		const pieces = async () => {
			const answer = { stream: Readable.from([Buffer.from(bytes)]), header };
			answers.push(answer);
			return answer;
		};
		await expect(moving.take(manifest, { wire: { ...wire, pieces } })).rejects.toMatchObject({ code: "copy-refused" });
		expect(answers).toHaveLength(6);
		expect(moving.taking.written).toBe(0);
	});

	test("belongs to another session is refused", async () => {
		const manifest = await moving.inventory();
		const other = Object.assign(Object.create(moving) as Moving, { sid: "another" });
		const wire = other.wire(manifest);
		await expect(moving.take(manifest, { wire })).rejects.toMatchObject({ code: "copy-refused" });
		expect(moving.taking.written).toBe(0);
	});

	test("says nothing any more is given up", async () => {
		const manifest = await moving.inventory();
		const silent = new Readable({ read: () => {} });
		const wire = bent(manifest, { pieces: (bytes, time) => (time === 0 ? silent : bytes) });
		await moving.take(manifest, { wire, silence: 20 });
		expect(silent.destroyed).toBe(true);
		expect(moving.taken).toEqual(moving.given);
	});
});

/** A request as this target would make it. */
async function request(manifest: Manifest): Promise<Uint8Array> {
	const wire = moving.wire(manifest);
	const stop = new Problem("not-allowed");
	const pieces = (bytes: Uint8Array) => Promise.reject(Object.assign(stop, { bytes }));
	await moving.take(manifest, { wire: { ...wire, pieces } }).catch(() => {});
	return (stop as unknown as { bytes: Uint8Array }).bytes;
}

describe("a listing", () => {
	test("goes on at the byte where it was cut off, also in another process", async () => {
		const manifest = await moving.inventory();
		const controller = new AbortController();
		const cut = bent(manifest, { listing: (bytes) => torn(bytes.subarray(0, 100)) });
		const wait = async () => controller.abort(new Error("killed"));
		await expect(moving.take(manifest, { wire: cut, signal: controller.signal, wait })).rejects.toThrow("killed");
		moving.listings.length = 0;
		await moving.take(manifest);
		expect(moving.listings).toEqual([[100]]);
		expect(moving.taken).toEqual(moving.given);
	});

	test.each<[string, Bend]>([
		["was changed on the way", (bytes) => flipped(bytes, 50)],
		["ends too early", (bytes) => bytes.subarray(0, -10)],
		["goes on after its end", (bytes) => Buffer.concat([bytes, bytes])],
	])("that %s is fetched again", async (_what, bend) => {
		const manifest = await moving.inventory();
		const wire = bent(manifest, { listing: (bytes, time) => (time === 0 ? bend(bytes, 0) : bytes) });
		await moving.take(manifest, { wire });
		expect(moving.taken).toEqual(moving.given);
	});

	test("that is never the one announced is refused", async () => {
		const manifest = await moving.inventory();
		const wire = bent(manifest, { listing: (bytes) => flipped(bytes, 50) });
		await expect(moving.take(manifest, { wire })).rejects.toMatchObject({ code: "copy-refused" });
		expect(readdirSync(moving.here).filter((file) => file !== "rounds.json")).toEqual([]);
	});

	test("whose difference makes no sense is fetched as a whole", async () => {
		await moving.take(await moving.inventory());
		moving.giving.files.set("z", Buffer.from("changed"));
		const manifest = await moving.inventory(2);
		const nonsense = Buffer.from("[0,1]\n[0,1]\n");
		const wire = bent(manifest, { listing: (bytes, time) => (time === 0 ? nonsense : bytes) });
		await moving.take(manifest, { wire });
		expect(moving.listings.slice(1)).toEqual([[0, expect.any(String)], [0]]);
		expect(moving.taken).toEqual(moving.given);
	});
});

describe("the transfer", () => {
	test("fetches nothing of what is larger than agreed", async () => {
		const manifest = await moving.inventory();
		const small = { bytes: 1000, entries: 1000 };
		await expect(moving.take(manifest, { limits: small })).rejects.toMatchObject({ code: "copy-too-large" });
		const few = { bytes: 1e9, entries: 3 };
		await expect(moving.take(manifest, { limits: few })).rejects.toMatchObject({ code: "copy-too-large" });
		expect(moving.listings).toEqual([]);
	});

	test("ends when the source refuses, and waits while it cannot be reached", async () => {
		const manifest = await moving.inventory();
		const failures = [
			new Error("ECONNREFUSED"),
			new Problem("our-fault", { id: 1 }),
			new Problem("too-many", { seconds: 1 }),
		];
		const wire = moving.wire(manifest);
		const pieces = async (request: Uint8Array) => {
			const failure = failures.shift();
			if (failure) throw failure;
			return wire.pieces(request);
		};
		await moving.take(manifest, { wire: { ...wire, pieces } });
		expect(moving.waits).toHaveLength(3);
		await moving.taking.discard();
		const gone = { ...wire, pieces: () => Promise.reject(new Problem("not-found")) };
		await expect(moving.take(await moving.inventory(2), { wire: gone })).rejects.toMatchObject({ code: "not-found" });
	});

	test("stops at a full disk, and goes on when there is room", async () => {
		const manifest = await moving.inventory();
		let room = 3;
		moving.taking.beforeWrite = (pieces) => {
			room -= pieces.length;
			if (room < 0) throw Object.assign(new Error("write"), { code: "ENOSPC" });
		};
		await expect(moving.take(manifest)).rejects.toMatchObject({ code: "disk-full", params: { folder: moving.here } });
		room = 100;
		await moving.take(manifest);
		expect(moving.taken).toEqual(moving.given);
	});

	test("does not trust a listing that another round has left under its name", async () => {
		const manifest = await moving.inventory();
		await moving.take(manifest);
		const [volume] = manifest.volumes;
		if (!volume) throw new Error("There is no volume");
		writeFileSync(join(moving.here, `${volume.listing}.ndjson`), "{}\n");
		const lying = { ...manifest, volumes: [{ ...volume, bytes: volume.bytes - 1 }] };
		await expect(moving.take(lying)).rejects.toMatchObject({ code: "copy-refused" });
	});
});
