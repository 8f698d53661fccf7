import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { Database } from "../../store/database.ts";
import type { Listing, Piece, PieceName, Place, Target, VolumeOptions } from "../volume.ts";
import { each } from "./ahead.ts";
import type { BucketPlace } from "./connection.ts";
import { Copying } from "./copy.ts";
import { inventoryTables, type Known } from "./inventory.ts";
import { keyOf, pathOf, unfit } from "./key.ts";
import { metaText } from "./meta.ts";
import { Placing } from "./placing.ts";
import { Bucket } from "./s3.ts";
import { Shelf, shelfTables } from "./shelf.ts";
import { Stock, stockTables } from "./stock.ts";
import { hashAt, type Wanted, WantedObjects, wantedTables } from "./wanted.ts";

const tables = `${inventoryTables}${stockTables}${shelfTables}${wantedTables}
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;
const logger = getLogger(["fediversity", "volumes"]);
const removedAtOnce = { count: 16 };
/** How often what is wrong is put right from what is at hand, before it counts as something this server cannot keep. */
const repairs = 3;

/**
 * A bucket as the new provider fills it. One that is empty in the beginning is nobody's yet, so objects are put straight
 * in their places. One that holds something, such as the copy kept after the deployment moved away, keeps that until
 * `swap`: what it lacks waits in the same bucket under a prefix of the move's own.
 */
export class BucketTarget implements Target {
	readonly #place: BucketPlace;
	readonly #scratch: string;
	readonly #database: Database;
	readonly #bucket: Bucket;
	readonly #seeds: readonly Bucket[];
	readonly #stock: Stock;
	readonly #shelf: Shelf;
	readonly #wanted: WantedObjects;
	readonly #placing: Placing;
	readonly #closing = new AbortController();
	#writing: Promise<void> = Promise.resolve();

	constructor(place: BucketPlace, { scratch, seeds = [] }: VolumeOptions) {
		mkdirSync(scratch, { recursive: true, mode: 0o700 });
		this.#place = place;
		this.#scratch = scratch;
		this.#database = new Database(join(scratch, "bucket.sqlite"), tables);
		this.#bucket = new Bucket(place);
		this.#seeds = seeds.filter((seed) => isOtherBucket(place, seed)).map((seed) => new Bucket(seed));
		this.#stock = new Stock(this.#database, [this.#bucket, ...this.#seeds]);
		this.#shelf = new Shelf(join(scratch, "pieces"), this.#database);
		this.#wanted = new WantedObjects(this.#database, this.#shelf, this.#stock);
		this.#placing = new Placing({
			...{
				database: this.#database,
				bucket: this.#bucket,
				wanted: this.#wanted,
				shelf: this.#shelf,
				stock: this.#stock,
			},
			keyFor: (wanted) => this.#keyFor(wanted),
		});
	}

	async *lacking(listing: Listing, signal: AbortSignal): AsyncIterable<readonly PieceName[]> {
		const both = this.#until(signal);
		await this.#begin(both);
		await this.#load(listing);
		yield* this.#wanted.lacking();
		await this.#placing.bringWhatIsWhole(both);
	}

	async write(pieces: readonly Piece[]): Promise<void> {
		const before = this.#writing;
		const writing = before.catch(() => {}).then(() => this.#write(pieces));
		this.#writing = writing;
		await writing;
	}

	async settle(listing: Listing, signal: AbortSignal): Promise<readonly PieceName[]> {
		const both = this.#until(signal);
		await this.#begin(both);
		this.#remember("settled", "");
		await this.#load(listing);
		for (let count = 0; count < repairs; count++) {
			await this.#placing.bringWhatIsWhole(both);
			// Whatever is here is checked, also while some is lacking: the less is left to do while nothing serves.
			const wrong = await this.#verify(both);
			const lacking = [...this.#wanted.lacking()].flat();
			if (lacking.length > 0) return lacking;
			if (wrong === undefined) {
				this.#remember("settled", "yes");
				return [];
			}
			if (count === repairs - 1) throw unfit(pathOf(wrong), "the storage does not keep it as it was put there");
		}
		return [];
	}

	async copyTo(place: Place, signal: AbortSignal): Promise<void> {
		if (!isOtherBucket(this.#place, place)) throw new Error("a bucket can only be copied to another bucket");
		this.#mustHaveSettled();
		const both = this.#until(signal);
		const to = new Bucket(place);
		try {
			const copying = new Copying(this.#bucket, to);
			for (const page of this.#wanted.all())
				await copying.copy(
					page.map((wanted) => ({ ...this.#standing(wanted), to: wanted.key })),
					both,
				);
			await this.#removeFrom(to, (key) => this.#wanted.named(key) === undefined, both);
		} finally {
			await to.close();
		}
	}

	async swap(signal: AbortSignal): Promise<void> {
		if (this.#fact("swapped")) return;
		this.#mustHaveSettled();
		const both = this.#until(signal);
		const copying = new Copying(this.#bucket, this.#bucket);
		for (const page of this.#wanted.all()) await this.#putInPlace(copying, page, both);
		await this.#removeFrom(this.#bucket, (key) => this.#wanted.named(key) === undefined, both);
		await this.#abortUploads(both);
		this.#remember("swapped", "yes");
	}

	async close(): Promise<void> {
		if (this.#closing.signal.aborted) return;
		this.#closing.abort();
		await this.#writing.catch(() => {});
		for (const bucket of [this.#bucket, ...this.#seeds]) await bucket.close();
		this.#database.close();
	}

	async discard(): Promise<void> {
		if (!this.#closing.signal.aborted) {
			await this.#writing.catch(() => {});
			if (!this.#fact("swapped") && this.#fact("prefix") !== undefined) await this.#undo(this.#closing.signal);
			await this.close();
		}
		rmSync(this.#scratch, { recursive: true, force: true });
	}

	/** Finds out once whose the bucket is, and what there is to be had in it and in the seeds. */
	async #begin(signal: AbortSignal): Promise<void> {
		if (this.#fact("prefix") === undefined) {
			const isEmpty = await nothingIn(this.#bucket, signal);
			this.#remember("prefix", isEmpty ? "" : `.fediversity-${randomBytes(8).toString("hex")}/`);
		}
		if (this.#fact("begun")) return;
		for (const [index, inventory] of this.#stock.inventories.entries())
			try {
				for await (const _ of inventory.take({ frozen: false, signal }));
			} catch (error) {
				// Seeds only save time.
				if (index === 0 || !(error instanceof Problem)) throw error;
				logger.warn("A bucket that may hold much of the same cannot be read: {reason}", { reason: error.message });
			}
		this.#remember("begun", "yes");
	}

	async #load(listing: Listing): Promise<void> {
		const prefix = this.#fact("prefix") || null;
		if (prefix !== null && !this.#fact("ours")) await this.#mustBeOurs(listing);
		await this.#wanted.load(listing, prefix, (wanted) => {
			const there = this.#stock.own.find(wanted.key);
			return there && isAsWanted(there, wanted) ? wanted.key : undefined;
		});
	}

	/** A former copy has at least one name in common with what comes; anything else here would be deleted by mistake. */
	async #mustBeOurs(listing: Listing): Promise<void> {
		for await (const entries of listing.batches())
			if (entries.some(({ path }) => this.#stock.own.find(keyOf(path)) !== undefined))
				return this.#remember("ours", "yes");
		throw unfit(this.#bucket.name, "the bucket here holds objects, and none of those that come; empty it first");
	}

	async #write(pieces: readonly Piece[]): Promise<void> {
		const signal = this.#closing.signal;
		const atHand = new Map<string, Uint8Array>();
		for (const { path, index, bytes } of pieces) {
			const wanted = this.#wanted.named(keyOf(path));
			if (wanted && index * 32 < wanted.pieces.length)
				atHand.set(hashAt(wanted.pieces, index).toString("base64url"), bytes);
		}
		const lacking = [...atHand.keys()].flatMap((hash) => this.#wanted.partsLacking(Buffer.from(hash, "base64url")));
		const parts = [...new Map(lacking.map((part) => [`${part.wanted}/${part.number}`, part])).values()];
		const whole = parts.filter((part) => this.#wanted.isWhole(part, (hash) => atHand.has(hash)));
		await this.#placing.bring(whole, atHand, signal);
		this.#layAside(atHand);
	}

	/** What parts that are not whole yet are waiting for. */
	#layAside(atHand: ReadonlyMap<string, Uint8Array>): void {
		const waited = [...atHand]
			.map(([text, bytes]) => ({ hash: Buffer.from(text, "base64url"), bytes }))
			.map((piece) => ({ ...piece, parts: this.#wanted.partsLacking(piece.hash) }))
			.filter(({ parts }) => parts.length > 0);
		this.#shelf.put(waited, () => {
			for (const { hash } of waited) this.#wanted.lackNoMore(hash);
		});
	}

	/** Reads what nobody has read since it was put there; answers a key that is not as it should be, if there is one. */
	async #verify(signal: AbortSignal): Promise<string | undefined> {
		const prefix = this.#fact("prefix") ?? "";
		const pass = Number(this.#fact("pass") ?? 0) + 1;
		this.#remember("pass", String(pass));
		let wrong: string | undefined;
		for await (const page of this.#stock.own.take({ frozen: false, signal })) {
			const strange: string[] = [];
			this.#database.transaction(() => {
				for (const object of page) {
					const wanted = this.#wanted.standingAt(object.key);
					if (wanted && isAsWanted(object, wanted)) this.#wanted.see(wanted.id, pass);
					if (!wanted && object.key.startsWith(prefix)) strange.push(object.key);
				}
			});
			await this.#remove(this.#bucket, strange, signal);
		}
		for (const id of this.#wanted.unseen(pass)) {
			wrong ??= this.#wanted.find(id)?.key;
			this.#wanted.reopen(id);
		}
		await this.#abortUploads(signal);
		return wrong;
	}

	async #putInPlace(copying: Copying, page: readonly Wanted[], signal: AbortSignal): Promise<void> {
		const beside = page.filter(({ key, at }) => at !== key);
		const objects = beside.map((wanted) => ({ ...this.#standing(wanted), to: wanted.key }));
		const etags = await copying.copy(objects, signal);
		this.#database.transaction(() => {
			for (const { id, key, size, pieces, meta } of beside) {
				const object = { key, etag: etags.get(key) ?? "", size, pieces, meta, modified: "", settled: false };
				this.#stock.own.put(object);
				this.#wanted.stands(id, key);
			}
		});
	}

	/** Where an object stands by now. */
	#standing(wanted: Wanted): Known {
		const object = wanted.at === null ? undefined : this.#stock.own.find(wanted.at);
		if (!object) throw new Error("something wanted stands nowhere");
		return object;
	}

	/** Everything that was put there is taken away again. */
	async #undo(signal: AbortSignal): Promise<void> {
		const prefix = this.#fact("prefix") ?? "";
		const isOurs = (key: string) =>
			prefix !== "" || this.#wanted.named(key) !== undefined || this.#stock.own.find(key) !== undefined;
		await this.#abortUploads(signal, true);
		await this.#removeFrom(this.#bucket, isOurs, signal, prefix);
	}

	async #removeFrom(bucket: Bucket, isToGo: (key: string) => boolean, signal: AbortSignal, prefix = ""): Promise<void> {
		for await (const page of bucket.objects(signal, prefix)) {
			const keys = page.map(({ key }) => key).filter(isToGo);
			await this.#remove(bucket, keys, signal);
		}
	}

	async #remove(bucket: Bucket, keys: readonly string[], signal: AbortSignal): Promise<void> {
		await each(keys, removedAtOnce, signal, (key, stop) => bucket.remove(key, stop));
		if (bucket !== this.#bucket) return;
		this.#database.transaction(() => {
			for (const key of keys) this.#stock.own.forget(key);
		});
	}

	/** Those of ours that nothing is waiting for, or all of ours. */
	async #abortUploads(signal: AbortSignal, all = false): Promise<void> {
		for await (const { key, id } of this.#bucket.uploads(signal, this.#fact("prefix")))
			if (all || !this.#wanted.knowsUpload(id)) await this.#bucket.abort(key, id, signal);
	}

	#keyFor({ id, key }: Wanted): string {
		const prefix = this.#fact("prefix") ?? "";
		return prefix === "" ? key : `${prefix}${id}`;
	}

	#mustHaveSettled(): void {
		if (!this.#fact("settled")) throw new Error("nothing has settled that could be used");
	}

	#until(signal: AbortSignal): AbortSignal {
		return AbortSignal.any([signal, this.#closing.signal]);
	}

	#fact(name: string): string | undefined {
		return this.#database.get<{ value: string }>("SELECT value FROM fact WHERE name = :name", { name })?.value;
	}

	#remember(name: string, value: string): void {
		this.#database.run("INSERT OR REPLACE INTO fact VALUES (:name, :value)", { name, value });
	}
}

function isAsWanted(object: Known, wanted: Wanted): boolean {
	const isSame = object.size === wanted.size && object.pieces.equals(wanted.pieces);
	return isSame && metaText(object.meta) === metaText(wanted.meta);
}

function isOtherBucket(place: BucketPlace, seed: Place): seed is BucketPlace {
	return seed.kind === "bucket" && (seed.bucket !== place.bucket || seed.endpoint !== place.endpoint);
}

async function nothingIn(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
	for await (const page of bucket.objects(signal)) if (page.length > 0) return false;
	return true;
}
