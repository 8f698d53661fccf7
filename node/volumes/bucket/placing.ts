import type { Database } from "../../store/database.ts";
import { pieceSize } from "../volume.ts";
import { each } from "./ahead.ts";
import type { Known } from "./inventory.ts";
import { pathOf, unfit } from "./key.ts";
import type { Bucket } from "./s3.ts";
import type { Part, Shelf } from "./shelf.ts";
import { isPiece, type Stock } from "./stock.ts";
import { hashAt, partSizeOf, partsOf, type Wanted, type WantedObjects } from "./wanted.ts";

/** Pieces at hand by their hash as base64url. */
export type AtHand = ReadonlyMap<string, Uint8Array>;

const nothing: AtHand = new Map();
const notedAtOnce = 100;
const atOnce = { count: 32, bytes: 32 * 1024 * 1024 };

/** Brings what is whole into the bucket. */
export class Placing {
	readonly #database: Database;
	readonly #bucket: Bucket;
	readonly #wanted: WantedObjects;
	readonly #shelf: Shelf;
	readonly #stock: Stock;
	/** The key under which an object is put. */
	readonly #keyFor: (wanted: Wanted) => string;
	/** Uploads that are just being begun, by the object's id. */
	readonly #beginning = new Map<number, Promise<string>>();

	/** Objects that stand in the bucket, and of which nothing is written down yet. */
	#put: { readonly id: number; readonly object: Known }[] = [];

	constructor(parts: {
		readonly database: Database;
		readonly bucket: Bucket;
		readonly wanted: WantedObjects;
		readonly shelf: Shelf;
		readonly stock: Stock;
		readonly keyFor: (wanted: Wanted) => string;
	}) {
		this.#database = parts.database;
		this.#bucket = parts.bucket;
		this.#wanted = parts.wanted;
		this.#shelf = parts.shelf;
		this.#stock = parts.stock;
		this.#keyFor = parts.keyFor;
	}

	/** Brings parts whose pieces are all here; what was lost meanwhile is lacking again. */
	async bring(parts: readonly Part[], atHand: AtHand, signal: AbortSignal): Promise<void> {
		const bytesOf = ({ wanted }: Part) => bytesAtOnce(this.#wanted.find(wanted));
		const work = (part: Part, stop: AbortSignal) => this.#bring(part, atHand, stop);
		await each(parts, atOnce, signal, work, bytesOf).finally(() => this.#note());
	}

	/** Brings every object that needs nothing from elsewhere. */
	async bringWhatIsWhole(signal: AbortSignal): Promise<void> {
		const work = (wanted: Wanted, stop: AbortSignal) => this.#whole(wanted, stop);
		for (const page of this.#wanted.open())
			await each(page, atOnce, signal, work, bytesAtOnce).finally(() => this.#note());
	}

	async #whole(wanted: Wanted, signal: AbortSignal): Promise<void> {
		if (await this.#copied(wanted, signal)) return;
		// One after the other: several objects are on their way at a time already.
		for (const part of this.#wanted.partsToBring(wanted)) await this.#bring(part, nothing, signal);
		const etags = this.#wanted.etags(wanted.id);
		if (etags.size === partsOf(wanted) && this.#wanted.find(wanted.id)?.at === null)
			await this.#finish(wanted.id, signal);
	}

	/** The server copies by itself what it has under another name or with other metadata. */
	async #copied(wanted: Wanted, signal: AbortSignal): Promise<boolean> {
		const same = this.#stock.same(wanted.pieces, wanted.size);
		if (!same?.bucket.isBeside(this.#bucket)) return false;
		const { key, etag, size } = same.object;
		const source = { bucket: same.bucket.name, key, etag, size };
		const copy = this.#bucket.copy(source, this.#keyFor(wanted), wanted.meta, signal);
		// Who may fill this bucket need not be allowed to read the other; then it is read as what it is.
		const made = same.bucket === this.#bucket ? await copy : await copy.catch(() => signal.throwIfAborted());
		if (made === undefined) return false;
		this.#stands(wanted, made);
		return true;
	}

	async #bring(part: Part, atHand: AtHand, signal: AbortSignal): Promise<void> {
		const wanted = this.#wanted.find(part.wanted);
		const body = wanted && (await this.#body(wanted, part, atHand, signal));
		if (!body) return;
		if (partsOf(wanted) === 1)
			return this.#stands(wanted, await this.#bucket.put(this.#keyFor(wanted), body, wanted.meta, signal));
		const key = this.#keyFor(wanted);
		const upload = await this.#upload(wanted, key, signal);
		const etag = await this.#bucket.part(key, upload, part.number + 1, body, signal);
		// The server has given up this upload: all its parts are lost.
		if (etag === undefined) this.#wanted.reopen(wanted.id);
		else if (this.#wanted.brought(part, etag)) await this.#finish(wanted.id, signal);
	}

	/** Undefined: a piece is lost. */
	async #body(wanted: Wanted, part: Part, atHand: AtHand, signal: AbortSignal): Promise<Buffer | undefined> {
		const size = partSizeOf(wanted.size);
		const start = part.number * size;
		const end = Math.min(start + size, wanted.size);
		const chunks: Uint8Array[] = [];
		let isWhole = true;
		for (let index = start / pieceSize; index < Math.ceil(end / pieceSize); index++) {
			const bytes = await this.#piece(hashAt(wanted.pieces, index), part, atHand, signal);
			if (bytes) chunks.push(bytes);
			else isWhole = false;
		}
		if (!isWhole) return undefined;
		const body = Buffer.concat(chunks);
		if (body.length !== end - start) throw unfit(pathOf(wanted.key), "its pieces do not make up its size");
		return body;
	}

	async #piece(hash: Buffer, part: Part, atHand: AtHand, signal: AbortSignal): Promise<Uint8Array | undefined> {
		const here = atHand.get(hash.toString("base64url"));
		if (here) return here;
		const laid = await this.#shelf.read(hash);
		if (laid && isPiece(hash, laid)) return laid;
		const found = await this.#stock.read(hash, signal);
		if (found) return found;
		this.#shelf.drop(hash);
		this.#stock.drop(hash);
		this.#wanted.lack(hash, part);
		return undefined;
	}

	async #upload(wanted: Wanted, key: string, signal: AbortSignal): Promise<string> {
		const known = this.#wanted.find(wanted.id)?.upload ?? this.#beginning.get(wanted.id);
		if (known) return known;
		const beginning = this.#bucket.begin(key, wanted.meta, signal);
		this.#beginning.set(wanted.id, beginning);
		try {
			const upload = await beginning;
			this.#wanted.setUpload(wanted.id, upload);
			return upload;
		} finally {
			this.#beginning.delete(wanted.id);
		}
	}

	async #finish(id: number, signal: AbortSignal): Promise<void> {
		const wanted = this.#wanted.find(id);
		if (!wanted?.upload) return;
		const key = this.#keyFor(wanted);
		const etags = [...this.#wanted.etags(id).values()];
		// No such upload: it was completed already, and the answer was lost; or it is gone.
		const etag =
			(await this.#bucket.complete(key, wanted.upload, etags, signal)) ?? (await this.#completed(wanted, key, signal));
		if (etag === undefined) this.#wanted.reopen(id);
		else this.#stands(wanted, etag);
	}

	async #completed({ size }: Wanted, key: string, signal: AbortSignal): Promise<string | undefined> {
		const head = await this.#bucket.head(key, signal);
		return head?.size === size ? head.etag : undefined;
	}

	#stands(wanted: Wanted, etag: string): void {
		const key = this.#keyFor(wanted);
		const { size, pieces, meta } = wanted;
		const object = { key, etag, size, pieces, meta, modified: "", settled: false };
		this.#put.push({ id: wanted.id, object });
		if (this.#put.length >= notedAtOnce) this.#note();
	}

	/** Many in one transaction, since each costs more than the request for a small object. */
	#note(): void {
		this.#database.transaction(() => {
			for (const { id, object } of this.#put) {
				this.#stock.own.put(object);
				this.#wanted.stands(id, object.key);
			}
		});
		this.#put = [];
	}
}

function bytesAtOnce(wanted: Wanted | undefined): number {
	return wanted ? Math.min(wanted.size, partSizeOf(wanted.size)) : 0;
}
