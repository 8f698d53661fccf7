import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fetched, gathered, hashOf, listed, listingOf, never, noise, round } from "../../../test/contracts/round.ts";
import { S3StandIn } from "../../../test/contracts/s3-stand-in.ts";
import { type Entry, type Place, pieceSize, type Source, type Target } from "../volume.ts";
import { openBucketSource, openBucketTarget } from "./bucket.ts";
import type { BucketPlace } from "./connection.ts";

let s3: S3StandIn;
let from: BucketPlace;
let to: BucketPlace;
let folder: string;
let source: Source;
let target: Target;
const opened: Target[] = [];
const newTarget = (seeds: readonly Place[] = [], place: BucketPlace = to) => {
	const made = openBucketTarget(place, { scratch: join(folder, "t"), seeds });
	opened.push(made);
	return made;
};
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "bucket-"));
	s3 = await new S3StandIn().listen();
	from = s3.open("from");
	to = s3.open("to", ["former"]);
	source = openBucketSource(from, { scratch: join(folder, "s") });
	target = newTarget();
});
afterEach(async () => {
	await source.close();
	for (const one of opened.splice(0)) await one.close();
	await s3.close();
	rmSync(folder, { recursive: true });
});

const mebibytes = (count: number, seed: string) => noise(count * 1024 * 1024, seed);
const shown = (bucket: string) =>
	Object.fromEntries([...s3.objects(bucket)].map(([key, { bytes, meta }]) => [key, [hashOf(bytes), meta]]));
const asked = (bucket: string) =>
	s3.seen
		.splice(0)
		.flatMap((seen) => (seen.bucket === bucket && seen.key !== "" ? [`${seen.method} ${seen.key}`] : []));
const shelf = () => (existsSync(join(folder, "t/pieces")) ? readdirSync(join(folder, "t/pieces")) : []);
const namesOf = ({ path, pieces }: Entry) => pieces.map((_, index) => ({ path, index }));
const isCopy = (headers: Record<string, unknown>) => headers["x-amz-copy-source"] !== undefined;

describe("an object in parts", () => {
	const video = mebibytes(18, "video");
	beforeEach(() => s3.keep("from", "video", video, { "content-type": "video/mp4" }));

	test("is put together whatever the order its pieces come in, and nothing of it stays on disk", async () => {
		const entries = await listed(source, true);
		const listing = listingOf(entries);
		const names = await gathered(target.lacking(listing, never));
		const mixed = names.map((name, n) => ({ name, n: (n * 37) % names.length })).sort((a, b) => a.n - b.n);
		await fetched(
			source,
			target,
			entries,
			mixed.map(({ name }) => name),
		);
		expect(shelf()).toEqual([]);
		expect(await target.settle(listing, never)).toEqual([]);
		expect(shown("to")).toEqual(shown("from"));
		expect(s3.objects("to").get("video")?.etag).toMatch(/-3$/);
	});

	test("goes on after its upload was given up by the server", async () => {
		const entries = await listed(source, true);
		const names = await gathered(target.lacking(listingOf(entries), never));
		await fetched(source, target, entries, names.slice(0, 40));
		expect(s3.uploads("to")).toBe(1);
		s3.giveUp("to");
		await fetched(source, target, entries, names.slice(40));
		const left = await target.settle(listingOf(entries), never);
		expect(left.length).toBeGreaterThan(0);
		expect((await round(source, target, { frozen: true })).left).toEqual([]);
		expect(shown("to")).toEqual(shown("from"));
		expect(s3.uploads("to")).toBe(0);
	});

	test("stands although the answer to its completion was lost", async () => {
		let times = 0;
		s3.fault = ({ method, query }) =>
			method === "POST" && query.has("uploadId") && times++ === 0 ? { lose: true } : undefined;
		const { left, bytes } = await round(source, target, { frozen: true });
		expect([left, bytes, times]).toEqual([[], video.length, 2]);
		expect(shown("to")).toEqual(shown("from"));
	});

	test("that no longer comes leaves no upload behind", async () => {
		const entries = await listed(source, true);
		await fetched(source, target, entries, namesOf(entries[0] as Entry).slice(0, 40));
		await gathered(target.lacking(listingOf(entries), never));
		await fetched(source, target, entries, namesOf(entries[0] as Entry).slice(0, 40));
		s3.objects("from").delete("video");
		s3.keep("from", "photo", "photo");
		expect((await round(source, target, { frozen: true })).left).toEqual([]);
		expect([s3.uploads("to"), shelf()]).toEqual([0, []]);
		expect(shown("to")).toEqual(shown("from"));
	});

	test("leaves nothing behind when it is called off half way", async () => {
		const entries = await listed(source, true);
		const names = await gathered(target.lacking(listingOf(entries), never));
		await fetched(source, target, entries, names.slice(0, 40));
		await target.discard();
		expect([s3.uploads("to"), s3.objects("to").size]).toEqual([0, 0]);
	});
});

describe("pieces on disk", () => {
	const video = mebibytes(9, "video");

	test("that were damaged there are asked for again", async () => {
		s3.keep("from", "video", video);
		const entries = await listed(source, true);
		const names = await gathered(target.lacking(listingOf(entries), never));
		await fetched(source, target, entries, names.slice(0, 8));
		for (const file of shelf()) writeFileSync(join(folder, "t/pieces", file), noise(8 * pieceSize, "damage"));
		const { left, bytes } = await round(source, target, { frozen: true });
		expect([left, bytes]).toEqual([[], video.length]);
		expect(shown("to")).toEqual(shown("from"));
		// What is damaged does not even get into the bucket.
		expect(s3.seen.filter(({ method, query }) => method === "POST" && query.has("uploadId"))).toHaveLength(1);
	});

	test("stay until the last part that needs them is there", async () => {
		const shared = video.subarray(0, pieceSize);
		s3.keep("from", "a video", Buffer.concat([shared, mebibytes(9, "other")]));
		s3.keep("from", "b video", Buffer.concat([shared, mebibytes(9, "another")]));
		const entries = await listed(source, true);
		const names = await gathered(target.lacking(listingOf(entries), never));
		expect(names.length).toBe(entries.flatMap(namesOf).length - 1);
		for (const name of names) await fetched(source, target, entries, [name]);
		expect([shelf(), await target.settle(listingOf(entries), never)]).toEqual([[], []]);
		expect(shown("to")).toEqual(shown("from"));
	});
});

describe("what the server has already", () => {
	test("gets its other name or metadata there, without a byte being sent", async () => {
		s3.keep("from", "old name", noise(700_000, "a"), { "content-type": "image/png" });
		await round(source, target);
		const object = s3.objects("from").get("old name");
		s3.objects("from").delete("old name");
		s3.keep("from", "new name", object?.bytes ?? "", { "content-type": "image/webp" });
		s3.seen.splice(0);
		const { bytes, left } = await round(source, target, { frozen: true });
		expect([bytes, left]).toEqual([0, []]);
		const puts = s3.seen.filter(({ bucket, method }) => bucket === "to" && method === "PUT");
		expect(puts.map(({ headers }) => isCopy(headers))).toEqual([true]);
		expect(shown("to")).toEqual(shown("from"));
	});

	test.each([true, false])(
		"is taken from a seed, whether it may be read by the bucket's own key (%s) or not",
		async (may) => {
			const former = s3.open("former");
			for (const bucket of ["from", "former"]) s3.keep(bucket, "photo", noise(700_000, "a"));
			s3.keep("former", "foreign", "of no interest");
			target = newTarget([former], may ? to : s3.open("to"));
			const { bytes, left } = await round(source, target, { frozen: true });
			expect([bytes, left]).toEqual([0, []]);
			expect(s3.seen.some(({ bucket, headers }) => bucket === "to" && isCopy(headers))).toBe(may);
			expect(shown("to")).toEqual(shown("from"));
		},
	);

	test("a seed that cannot be read does no harm", async () => {
		s3.keep("from", "photo", "photo");
		target = newTarget([{ ...s3.open("former"), secretAccessKey: "wrong" }]);
		expect((await round(source, target, { frozen: true })).left).toEqual([]);
	});
});

describe("the copy that was kept when the deployment moved away", () => {
	const video = mebibytes(9, "video");
	beforeEach(() => {
		for (const bucket of ["from", "to"]) {
			s3.keep(bucket, "video", video);
			for (let n = 0; n < 20; n++) s3.keep(bucket, `photos/${n}`, noise(500, n));
		}
		s3.keep("to", "left since", "gone at the other provider");
		s3.keep("from", "photos/3", "changed");
		s3.keep("from", "new", "new");
	});

	test("stays as it is until the swap, and only the difference comes", async () => {
		const before = shown("to");
		const { bytes, left } = await round(source, target, { frozen: true });
		expect([bytes, left]).toEqual(["changednew".length, []]);
		const { "left since": _, ...same } = before;
		expect(shown("to")).toMatchObject(same);
		s3.seen.splice(0);
		await target.swap(never);
		expect(asked("to").filter((what) => /video|photos\/[0-24-9]/.test(what))).toEqual([]);
		expect(shown("to")).toEqual(shown("from"));
		await target.discard();
		expect(shown("to")).toEqual(shown("from"));
	});

	test("is as it was when the move back is called off", async () => {
		const before = shown("to");
		await round(source, target, { frozen: true });
		await target.discard();
		expect(shown("to")).toEqual(before);
	});

	test.each(["PUT", "DELETE"])("is replaced in the end, also if that is cut off at a %s", async (cut) => {
		await round(source, target, { frozen: true });
		const stop = new AbortController();
		s3.fault = ({ method, bucket }) => void (bucket === "to" && method === cut && stop.abort()) as undefined;
		await expect(target.swap(stop.signal)).rejects.toThrow();
		s3.fault = () => undefined;
		await target.close();
		await newTarget().swap(never);
		expect(shown("to")).toEqual(shown("from"));
	});

	test("is rehearsed as what it will be", async () => {
		const rehearsal = s3.open("rehearsal", ["to"]);
		await round(source, target, { frozen: true });
		await target.copyTo(rehearsal, never);
		expect(shown("rehearsal")).toEqual(shown("from"));
		s3.seen.splice(0);
		const closed = s3.open("closed");
		await target.copyTo(closed, never);
		expect(shown("closed")).toEqual(shown("from"));
		expect(s3.objects("closed").get("video")?.etag).toMatch(/-2$/);
	});
});

test("a bucket with nothing but other objects is not touched", async () => {
	s3.keep("from", "photo", "photo");
	s3.keep("to", "somebody else's", "precious");
	const before = shown("to");
	await expect(round(source, target)).rejects.toMatchObject({ code: "volume-unfit" });
	await target.discard();
	expect(shown("to")).toEqual(before);
});

describe("settle", () => {
	test("reads everything that was put there again, once", async () => {
		for (const key of ["a", "b"]) s3.keep("from", key, key);
		const { listing } = await round(source, target);
		expect(
			asked("to")
				.filter((what) => what.startsWith("GET"))
				.sort(),
		).toEqual(["GET a", "GET b"]);
		expect(await target.settle(listing, never)).toEqual([]);
		expect(asked("to").filter((what) => what.startsWith("GET"))).toEqual([]);
	});

	test("finds what was damaged, what was lost and what was added", async () => {
		for (const key of ["a", "b", "c"]) s3.keep("from", key, key.repeat(9));
		const { entries, listing } = await round(source, target);
		s3.keep("to", "a", "A".repeat(9), {}, 0);
		s3.objects("to").delete("b");
		s3.keep("to", "d", "not listed");
		const left = await target.settle(listing, never);
		expect(left.map(({ path }) => path).sort()).toEqual(["a", "b"]);
		await fetched(source, target, entries, left);
		expect(await target.settle(listing, never)).toEqual([]);
		expect(shown("to")).toEqual(shown("from"));
	});

	test("mends metadata without asking for content", async () => {
		s3.keep("from", "a", "a", { "content-type": "text/plain" });
		const { listing } = await round(source, target);
		s3.keep("to", "a", "a", { "content-type": "text/html" });
		expect(await target.settle(listing, never)).toEqual([]);
		expect(shown("to")).toEqual(shown("from"));
	});

	test("refuses a server that does not keep what it is given", async () => {
		s3.keep("from", "a", "a", { "content-language": "de" });
		s3.forgets = "content-language";
		await expect(round(source, target)).rejects.toMatchObject({ code: "volume-unfit" });
	});

	test("is needed before anything is used", async () => {
		s3.keep("from", "a", "a");
		await gathered(target.lacking(listingOf(await listed(source, true)), never));
		await expect(target.swap(never)).rejects.toThrow();
		await expect(target.copyTo(from, never)).rejects.toThrow();
		expect([...s3.objects("from").keys()]).toEqual(["a"]);
	});
});

test("a listing whose pieces are not what their size says does not come to stand", async () => {
	const entry: Entry = { path: "a", type: "object", size: 2, pieces: [hashOf(Buffer.from("abc"))] };
	await gathered(target.lacking(listingOf([entry]), never));
	await expect(target.write([{ path: "a", index: 0, bytes: Buffer.from("abc") }])).rejects.toMatchObject({
		code: "volume-unfit",
	});
	expect(s3.objects("to").size).toBe(0);
});
