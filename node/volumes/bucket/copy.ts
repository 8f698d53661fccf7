import { Problem } from "#protocol/problem.ts";
import { each } from "./ahead.ts";
import type { Meta } from "./meta.ts";
import type { Bucket } from "./s3.ts";
import { partSizeOf, partsOf } from "./wanted.ts";

/** An object to be copied, and the key it gets. */
export interface Copied {
	readonly key: string;
	readonly etag: string;
	readonly size: number;
	readonly meta: Meta;
	readonly to: string;
}

const atOnce = { count: 16, bytes: 32 * 1024 * 1024 };

/** Copies objects from one bucket to another, which may be at another server or closed to the other's key. */
export class Copying {
	readonly #from: Bucket;
	readonly #to: Bucket;
	#byServer: boolean;

	constructor(from: Bucket, to: Bucket) {
		this.#from = from;
		this.#to = to;
		this.#byServer = from.isBeside(to);
	}

	/** Throws if one of them is no longer there. Answers the etags of the copies by their keys. */
	async copy(objects: Iterable<Copied>, signal: AbortSignal): Promise<Map<string, string>> {
		const made = new Map<string, string>();
		await each(
			objects,
			atOnce,
			signal,
			async (object, stop) => {
				const etag = (await this.#serverCopies(object, stop)) ?? (await this.#carry(object, stop));
				if (etag === undefined) throw new Error("an object vanished while it was copied");
				made.set(object.to, etag);
			},
			bytesOf,
		);
		return made;
	}

	async #serverCopies(object: Copied, signal: AbortSignal): Promise<string | undefined> {
		if (!this.#byServer) return undefined;
		try {
			return await this.#to.copy({ bucket: this.#from.name, ...object }, object.to, object.meta, signal);
		} catch (error) {
			if (this.#from === this.#to || !(error instanceof Problem)) throw error;
			this.#byServer = false;
			return undefined;
		}
	}

	async #carry(object: Copied, signal: AbortSignal): Promise<string | undefined> {
		const { to, size, meta } = object;
		if (partsOf(object) === 1) {
			const body = await this.#part(object, 0, signal);
			return body && this.#to.put(to, body, meta, signal);
		}
		const upload = await this.#to.begin(to, meta, signal);
		const etags: string[] = [];
		for (let start = 0; start < size; start += partSizeOf(size)) {
			const body = await this.#part(object, start, signal);
			const etag = body && (await this.#to.part(to, upload, etags.length + 1, body, signal));
			if (etag === undefined) return this.#to.abort(to, upload, signal).then(() => undefined);
			etags.push(etag);
		}
		return this.#to.complete(to, upload, etags, signal);
	}

	async #part({ key, etag, size }: Copied, start: number, signal: AbortSignal): Promise<Buffer | undefined> {
		const length = Math.min(partSizeOf(size), size - start);
		return length === 0 ? Buffer.alloc(0) : this.#from.bytes(key, { start, length, etag }, signal);
	}
}

/** As if each were carried, which is known only when the server has refused to copy. */
function bytesOf({ size }: Copied): number {
	return Math.min(size, partSizeOf(size));
}
