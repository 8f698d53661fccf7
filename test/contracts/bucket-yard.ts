/** Buckets with everything in them that a bucket can hold, at whatever S3 server. */
import { randomBytes } from "node:crypto";
import { each } from "../../node/volumes/bucket/ahead.ts";
import type { BucketPlace } from "../../node/volumes/bucket/connection.ts";
import type { Meta } from "../../node/volumes/bucket/meta.ts";
import { Bucket } from "../../node/volumes/bucket/s3.ts";
import { type Entry, type Place, pieceSize } from "../../node/volumes/volume.ts";
import { hashOf, never, noise } from "./round.ts";
import type { VolumeUnderTest, Yard } from "./volume.ts";

/** A server that makes buckets, each with a key of its own that may read these others too. */
export interface BucketServer {
	open(bucket: string, reads?: readonly string[]): BucketPlace | Promise<BucketPlace>;
}

export function bucketsAt(server: () => Promise<BucketServer>, skip: string | null = null): VolumeUnderTest {
	return {
		skip,
		async open() {
			const at = await server();
			const name = randomBytes(6).toString("hex");
			const to = await at.open(`to-${name}`);
			const rehearsal = await at.open(`rehearsal-${name}`, [`to-${name}`]);
			return new BucketYard(await at.open(`from-${name}`), to, rehearsal);
		},
	};
}

const one = "A".repeat(43);
const object = (path: string, more: Partial<Entry> = {}): Entry => ({
	...{ path, type: "object", size: 3, pieces: [one] },
	...more,
});

class BucketYard implements Yard {
	readonly from: BucketPlace;
	readonly to: BucketPlace;
	readonly rehearsal: BucketPlace;

	constructor(from: BucketPlace, to: BucketPlace, rehearsal: BucketPlace) {
		this.from = from;
		this.to = to;
		this.rehearsal = rehearsal;
	}

	async populate(): Promise<void> {
		await inBucket(this.from, plant);
	}

	async occupy(): Promise<void> {
		await inBucket(this.to, async (bucket) => {
			await bucket.put("big", Buffer.from("a smaller one"), { "content-type": "text/plain" }, never);
			await bucket.put("old/deep/photo.jpg", noise(1000, "old"), {}, never);
		});
	}

	async change(): Promise<number> {
		await inBucket(this.from, async (bucket) => {
			const big = noise(5 * pieceSize + 77, "big");
			big.write("changed", pieceSize * 3 + 5);
			await bucket.put("big", big, {}, never);
			await bucket.put("photos/3.jpg", Buffer.from("new"), { "content-type": "image/jpeg" }, never);
			await bucket.put("photos/new.jpg", Buffer.from("quite new"), {}, never);
			await bucket.put("photos/4.jpg", noise(4 * 125, "photo 4"), { "content-type": "image/png" }, never);
			await bucket.put("moved.jpg", noise(17 * 125, "photo 17"), {}, never);
			for (const key of ["photos/17.jpg", "empty", "/a//b"]) await bucket.remove(key, never);
		});
		return pieceSize + 100;
	}

	async grow(bytes: number): Promise<void> {
		const size = 8 * 1024 * 1024;
		await inBucket(this.from, async (bucket) => {
			const upload = await bucket.begin("huge", {}, never);
			const etags: string[] = [];
			for (let start = 0; start < bytes; start += size)
				etags.push((await bucket.part("huge", upload, etags.length + 1, randomBytes(size), never)) ?? "");
			await bucket.complete("huge", upload, etags, never);
		});
	}

	async writeAllTheTime(): Promise<() => Promise<void>> {
		let isOver = false;
		const bucket = new Bucket(this.from);
		const write = async (count: number) => {
			await bucket.put("log", Buffer.from(`line ${count}`), {}, never);
			await bucket.put("photos/5.jpg", noise(pieceSize + count, count), {}, never);
			await bucket.put(`came/${count}`, noise(3000, count), { "x-amz-meta-count": String(count) }, never);
			await bucket.remove(`came/${count - 2}`, never);
		};
		await write(0);
		const writing = (async () => {
			for (let count = 1; !isOver; count++) await write(count);
		})();
		return async () => {
			isOver = true;
			await writing;
			await bucket.close();
		};
	}

	async remove(): Promise<string> {
		await inBucket(this.from, (bucket) => bucket.remove("photos/9.jpg", never));
		return "photos/9.jpg";
	}

	damage = async (): Promise<void> => {
		await inBucket(this.to, (bucket) => bucket.put("big", noise(5 * pieceSize + 77, "damaged"), {}, never));
	};

	async contents(place: Place): Promise<unknown> {
		return place.kind === "bucket" ? contentsOf(place) : null;
	}

	readonly hostile: Readonly<Record<string, readonly Entry[]>> = {
		"a path that goes up": [object("a/../../evil")],
		"an absolute path": [object("/tmp/evil")],
		"an empty part": [object("a//b")],
		"an empty part at the end": [object("a/")],
		"a dot": [object("./a")],
		"no name": [object("")],
		"a name written in two ways": [object("%61")],
		"a name cut off": [object("%4")],
		"no UTF-8": [object("%FF")],
		"half a character": [object("\ud800")],
		"a line break": [object("a\nb")],
		"a name too long": [object("ä".repeat(513))],
		"the same twice": [object("a"), object("a")],
		"a file": [object("a", { type: "file" })],
		"a folder": [object("a", { type: "folder", size: 0, pieces: [] })],
		"fewer pieces than its size": [object("a", { size: pieceSize + 1 })],
		"more pieces than its size": [object("a", { size: 0 })],
		"a size below nothing": [object("a", { size: -1, pieces: [] })],
		"more than a bucket takes": [object("a", { size: 2 ** 50, pieces: [] })],
		"a piece by no name": [object("a", { pieces: ["x"] })],
		"rights for everybody": [object("a", { meta: { "x-amz-acl": "public-read-write" } })],
		"another object's content": [object("a", { meta: { "x-amz-copy-source": "/other/secret" } })],
		"a header in a header": [object("a", { meta: { "content-type": "a\r\nx-amz-acl: public-read" } })],
		"a name that is no header's": [object("a", { meta: { "x-amz-meta-a b": "c" } })],
		"too much metadata": [object("a", { meta: { "x-amz-meta-a": "a".repeat(9000) } })],
	};

	async close(): Promise<void> {}
}

/** Keys that are easily mistaken for others on their way through addresses, XML and paths. */
export const oddKeys = [
	...["/a//b", "a/./b", "a/../b", "..", ".", "tail/", "%41 100% %2F", "a+b c", "a?b#c&d=e;f:g@h,i", "'(*)!~$"],
	...["ümlaut/日本語/🎶", "line\nbreak\ttab", "\u0001\u007f", '<&>"', "é", "e\u0301", `long/${"ä".repeat(509)}`],
];

const videoParts = [noise(5 * 1024 * 1024, "first"), noise(4 * 1024 * 1024 + 11, "second")];

/** Everything there can be in a bucket, the same each time. */
async function plant(bucket: Bucket): Promise<void> {
	const put = (key: string, bytes: Buffer, meta: Meta = {}) => bucket.put(key, bytes, meta, never);
	const rich = {
		...{ "cache-control": "max-age=60, public", "content-disposition": 'attachment; filename="a b.txt"' },
		...{ "content-encoding": "gzip", "content-language": "de", "content-type": "text/plain; charset=utf-8" },
		...{ expires: "Thu, 01 Dec 2033 16:00:00 GMT", "x-amz-meta-name": "=?UTF-8?B?w7w=?=", "x-amz-meta-two": "b  c" },
	};
	await put("rich", noise(300, "rich"), { ...rich, "x-amz-meta-bytes": Buffer.from("ü").toString("latin1") });
	await put("big", noise(5 * pieceSize + 77, "big"));
	await put("twin", noise(2 * pieceSize, "big"));
	await put("empty", Buffer.alloc(0), { "content-type": "text/plain" });
	await put("zeros", Buffer.alloc(pieceSize * 3));
	const photos = Array.from({ length: 40 }, (_, n) => n);
	const photo = (n: number) => put(`photos/${n}.jpg`, noise(n * 125, `photo ${n}`), { "content-type": "image/jpeg" });
	await each(photos, { count: 8 }, never, photo);
	await each(oddKeys, { count: 8 }, never, (key) => put(key, Buffer.from(`at ${key}`)));
	const upload = await bucket.begin("video.mp4", { "content-type": "video/mp4", "x-amz-meta-a": "b" }, never);
	const etags = [];
	for (const [index, part] of videoParts.entries())
		etags.push((await bucket.part("video.mp4", upload, index + 1, part, never)) ?? "");
	await bucket.complete("video.mp4", upload, etags, never);
}

/** Every object with its metadata and the hash of its content; what a move keeps beside does not count. */
export async function contentsOf(place: BucketPlace): Promise<Record<string, unknown>> {
	return inBucket(place, async (bucket) => {
		const found: Record<string, unknown> = {};
		for await (const page of bucket.objects(never))
			await each(page, { count: 16 }, never, async ({ key }) => {
				if (key.startsWith(".fediversity-")) return;
				const chunks: Buffer[] = [];
				const head = await bucket.stream(key, (chunk) => chunks.push(Buffer.from(chunk)), never);
				found[key] = [hashOf(Buffer.concat(chunks)), head?.size, head?.meta];
			});
		return found;
	});
}

export async function inBucket<Result>(place: BucketPlace, work: (bucket: Bucket) => Promise<Result>): Promise<Result> {
	const bucket = new Bucket(place);
	try {
		return await work(bucket);
	} finally {
		await bucket.close();
	}
}
