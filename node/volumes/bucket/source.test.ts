import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gathered, listed, never, noise } from "../../../test/contracts/round.ts";
import { type Fault, S3StandIn, type Seen } from "../../../test/contracts/s3-stand-in.ts";
import { pieceSize, type Source } from "../volume.ts";
import { openBucketSource } from "./bucket.ts";
import type { BucketPlace } from "./connection.ts";

let s3: S3StandIn;
let place: BucketPlace;
let folder: string;
let source: Source;
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), "bucket-"));
	s3 = await new S3StandIn().listen();
	place = s3.open("from");
	source = openBucketSource(place, { scratch: join(folder, "s") });
});
afterEach(async () => {
	await source.close();
	await s3.close();
	rmSync(folder, { recursive: true });
});

/** What was asked since the last time: methods, and keys where there are any. */
const asked = () => s3.seen.splice(0).map(({ method, key }) => (key === "" ? "LIST" : `${method} ${key}`));
const paths = async (frozen = false) => (await listed(source, frozen)).map(({ path }) => path);
const once = (is: (seen: Seen) => boolean, fault: Fault, times = 1) => {
	let left = times;
	s3.fault = (seen) => (is(seen) && left-- > 0 ? fault : undefined);
};
const ofObject = ({ key }: Seen) => key !== "";

describe("what has not changed is not read again", () => {
	beforeEach(() => {
		for (const key of ["a", "b", "c"]) s3.keep("from", key, `content of ${key}`, { "x-amz-meta-n": key });
	});

	test("nor is it asked about", async () => {
		const first = await listed(source, false);
		expect(asked().sort()).toEqual(["GET a", "GET b", "GET c", "LIST"]);
		expect(await listed(source, true)).toEqual(first);
		expect(asked()).toEqual(["LIST"]);
	});

	test("also by one made later in the same folder", async () => {
		const first = await listed(source, false);
		await source.close();
		asked();
		source = openBucketSource(place, { scratch: join(folder, "s") });
		expect(await listed(source, true)).toEqual(first);
		expect(asked()).toEqual(["LIST"]);
	});

	test("while what has changed, came or went shows", async () => {
		await listed(source, false);
		s3.keep("from", "b", "another content", {}, 50_000);
		s3.keep("from", "d", "new");
		s3.objects("from").delete("a");
		asked();
		const [b, c, d, ...others] = await listed(source, true);
		expect([b?.meta, c?.path, d?.size, others]).toEqual([{ "content-type": "binary/octet-stream" }, "c", 3, []]);
		expect(asked().sort()).toEqual(["GET b", "GET d", "LIST"]);
	});

	test("another change within the second of the first one shows, too", async () => {
		s3.keep("from", "a", "same", { "x-amz-meta-n": "one" }, 0);
		expect((await listed(source, false))[0]?.meta).toMatchObject({ "x-amz-meta-n": "one" });
		const { modified } = s3.objects("from").get("a") as { modified: number };
		s3.keep("from", "a", "same", { "x-amz-meta-n": "two" }, Date.now() - modified);
		asked();
		expect((await listed(source, true))[0]?.meta).toMatchObject({ "x-amz-meta-n": "two" });
		expect(asked()).toEqual(["LIST", "HEAD a"]);
	});
});

test("a list comes in pages, whatever its length", async () => {
	s3.page = 7;
	const keys = Array.from({ length: 50 }, (_, n) => `key ${String(n).padStart(2, "0")}`);
	for (const key of keys) s3.keep("from", key, key);
	expect(await paths()).toEqual(keys);
	expect(asked().filter((what) => what === "LIST")).toHaveLength(8);
});

describe("while others write", () => {
	test("an object that vanishes is left out, unless nobody should be writing", async () => {
		for (const key of ["a", "b"]) s3.keep("from", key, key);
		const vanish = ({ key }: Seen) => void (key === "a" && s3.objects("from").delete("a"));
		s3.fault = (seen) => vanish(seen) as undefined;
		expect(await paths()).toEqual(["b"]);
		s3.keep("from", "a", "a");
		await expect(paths(true)).rejects.toMatchObject({ code: "volume-unfit" });
	});

	test("an object overwritten in the middle of being read is listed in one version", async () => {
		const [old, young] = [noise(6_000_000, "old"), noise(6_000_000, "young")];
		s3.keep("from", "a", old);
		let times = 0;
		s3.fault = ({ key }) => {
			if (key !== "a" || times++ > 0) return undefined;
			setTimeout(() => s3.keep("from", "a", young), 20);
			return { cutAfter: 3_000_000 };
		};
		const [entry] = await listed(source, false);
		const pieces = await gathered(
			source.read(
				[...(entry?.pieces.keys() ?? [])].map((index) => ({ path: "a", index })),
				never,
			),
		);
		const bytes = Buffer.concat(pieces.map((piece) => piece.bytes));
		expect(bytes.equals(young)).toBe(true);
	});

	test("pieces of a version that is gone are left out", async () => {
		s3.keep("from", "a", "one content");
		s3.keep("from", "b", "b");
		await listed(source, false);
		s3.keep("from", "a", "two content");
		const names = ["a", "b"].map((path) => ({ path, index: 0 }));
		expect((await gathered(source.read(names, never))).map(({ path }) => path)).toEqual(["b"]);
	});
});

describe("in bad weather", () => {
	const content = noise(5 * pieceSize + 9, "content");
	const all = Array.from({ length: 6 }, (_, index) => ({ path: "a", index }));
	const read = async () => Buffer.concat((await gathered(source.read(all, never))).map(({ bytes }) => bytes));
	beforeEach(() => s3.keep("from", "a", content));

	test.each<[string, Fault]>([
		["the connection is cut in the middle of an object", { cutAfter: 100_000 }],
		["the server says 500", { status: 500, code: "InternalError" }],
		["the server asks to slow down", { status: 503, code: "SlowDown", headers: { "retry-after": "0" } }],
		["the server hangs on the way", { status: 504, code: "" }],
	])("goes on after %s", async (_what, fault) => {
		once(ofObject, fault, 2);
		const [entry] = await listed(source, true);
		expect(entry?.size).toBe(content.length);
		once(ofObject, fault, 2);
		expect((await read()).equals(content)).toBe(true);
	});

	test("a big object goes on where it was cut", async () => {
		once(ofObject, { cutAfter: 1_000_000 });
		await listed(source, true);
		const [first, second] = s3.seen.filter(ofObject);
		expect(first?.headers.range).toBeUndefined();
		expect(Number(/^bytes=(\d+)-$/.exec(String(second?.headers.range))?.[1])).toBeGreaterThan(0);
	});

	test("a list goes on, too", async () => {
		once(({ key }) => key === "", { status: 503, code: "ServiceUnavailable" }, 2);
		expect(await paths()).toEqual(["a"]);
	});

	test("pieces next to each other come by one request", async () => {
		await listed(source, true);
		asked();
		expect((await read()).equals(content)).toBe(true);
		expect(asked()).toEqual(["GET a"]);
	});
});

describe("secrets", () => {
	test("stand in no address", async () => {
		s3.keep("from", "a", "a");
		await listed(source, true);
		const urls = s3.seen.map(({ url }) => url).join("\n");
		for (const secret of [place.accessKeyId, place.secretAccessKey]) expect(urls).not.toContain(secret);
	});

	test.each([
		["of another server", { secretAccessKey: "wrong" }, "SignatureDoesNotMatch"],
		["of nobody", { accessKeyId: "AKNOBODY" }, "InvalidAccessKeyId"],
		["for another bucket", { bucket: "other" }, "AccessDenied"],
	])("a key %s is refused, and not said again", async (_what, wrong, code) => {
		const other = openBucketSource({ ...place, ...wrong }, { scratch: join(folder, "other") });
		const error = await gathered(other.list({ frozen: true, signal: never })).catch((caught) => caught);
		expect(error).toMatchObject({ code: "bucket-refused" });
		expect(error.message).toContain(code);
		const text = JSON.stringify(error) + error.stack;
		for (const secret of [place.secretAccessKey, { ...place, ...wrong }.accessKeyId])
			expect(text).not.toContain(secret);
		await other.close();
	});
});
