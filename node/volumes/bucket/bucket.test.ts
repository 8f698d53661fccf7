import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { S3StandIn } from "../../../test/contracts/s3-stand-in.ts";
import type { Entry, Listing, PieceName } from "../volume.ts";
import { openBucketSource, openBucketTarget } from "./bucket.ts";

const folder = mkdtempSync(join(tmpdir(), "bucket-"));
const s3 = await new S3StandIn().listen();
afterAll(async () => {
	await s3.close();
	rmSync(folder, { recursive: true });
});
const never = new AbortController().signal;
const listingOf = (entries: Entry[]): Listing => ({
	entries: entries.length,
	bytes: 0,
	async *batches() {
		yield entries;
	},
});
test("moves", async () => {
	const from = s3.open("from");
	const to = s3.open("to");
	s3.keep("from", "/a//b+ %ü/../x", "hello", { "content-type": "text/plain", "x-amz-meta-a": "b" });
	s3.keep("from", "zero", "");
	s3.keep("from", "big", Buffer.alloc(20_000_000, "abc"));
	const source = openBucketSource(from, { scratch: join(folder, "s") });
	const target = openBucketTarget(to, { scratch: join(folder, "t") });
	const entries: Entry[] = [];
	for await (const batch of source.list({ frozen: true, signal: never })) entries.push(...batch);
	const wanted: PieceName[] = [];
	for await (const batch of target.lacking(listingOf(entries), never)) wanted.push(...batch);
	for await (const pieces of source.read(wanted, never)) await target.write(pieces);
	expect(await target.settle(listingOf(entries), never)).toEqual([]);
	await target.swap(never);
	expect([...s3.objects("to").keys()].sort()).toEqual([...s3.objects("from").keys()].sort());
	for (const [k, v] of s3.objects("from")) expect(s3.objects("to").get(k)?.bytes.equals(v.bytes)).toBe(true);
	await source.forget();
	await target.discard();
	expect(s3.objects("to").size).toBe(3);
});
