/** What every kind of volume promises. A kind says how to fill, change and compare places; the rest is the same for all. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, test as declare, describe, expect } from "vitest";
import { Removal } from "../../node/volumes/directory/removal.ts";
import { openSource, openTarget } from "../../node/volumes/open.ts";
import {
	type Elsewhere,
	type Entry,
	type PieceName,
	type Place,
	pieceSize,
	type Source,
	type Target,
} from "../../node/volumes/volume.ts";
import { fetched, gathered, hashOf, listed, listingOf, never, noise, readAll, round } from "./round.ts";
import type { Errand, Reach } from "./volume-mover.ts";

/** One kind, as the suite needs it. */
export interface VolumeUnderTest {
	/** Why it cannot be tried here, such as a program that is missing; null: it can. */
	readonly skip: string | null;
	/** Only tests whose name has one of these in it; none given: all of them. */
	readonly only?: readonly string[];
	/** Makes what a test needs, in and below this folder where it wants files. */
	open(folder: string): Promise<Yard>;
}

export interface Yard {
	/** Where the volume is, where it is to go, and where a rehearsal could use it. */
	readonly from: Place;
	readonly to: Place;
	readonly rehearsal: Place;
	/** How to get to places on other machines: for a test, and for a process of its own. */
	readonly elsewhere?: Elsewhere;
	readonly reach?: Reach;
	/** Fills `from`: with some MiB at least, so that there are dozens of pieces. */
	populate(): Promise<void>;
	/** Fills `to` with something else, which a swap replaces. */
	occupy(): Promise<void>;
	/** Changes a little of what is in `from`, and answers how many bytes a round may read for it at most. */
	change(): Promise<number>;
	/** Makes `from` hold one thing of about this many bytes. */
	grow(bytes: number): Promise<void>;
	/** Writes to `from` all the time until told to stop; resolves when it has begun. */
	writeAllTheTime(): Promise<() => Promise<void>>;
	/** Takes away from `from` what an entry of this listing stands for, and answers its path; null: this kind reads from a copy. */
	remove(entries: readonly Entry[]): Promise<string | null>;
	/** Spoils one piece of what the target in this scratch folder has put aside; null: cannot be reached from outside. */
	damage: ((scratch: string) => Promise<void>) | null;
	/** What is at a place, so that equal volumes are `toEqual`. */
	contents(place: Place): Promise<unknown>;
	/** Listings, by what is wrong with them, that no target of this kind may take. */
	readonly hostile: Readonly<Record<string, readonly Entry[]>>;
	close(): Promise<void>;
}

type Declare = (name: string, run: (...given: never[]) => Promise<void>, milliseconds: number) => void;

/** What declares a test, if this kind is to pass it. */
function declaring({ only }: VolumeUnderTest): Declare & { each(table: readonly string[]): Declare } {
	const isWanted = (name: string) => only?.some((part) => name.includes(part)) ?? true;
	const one: Declare = (name, ...rest) => {
		if (isWanted(name)) declare(name, ...(rest as unknown as [() => Promise<void>, number]));
	};
	const each = (table: readonly string[]): Declare => {
		return (name, ...rest) => {
			const rows = table.filter((row) => isWanted(name.replace("%s", row)));
			declare.each(rows)(name, ...(rest as unknown as [() => Promise<void>, number]));
		};
	};
	return Object.assign(one, { each });
}

/** Declares the tests of a kind. */
export function describeVolume(name: string, kind: VolumeUnderTest): void {
	const test = declaring(kind);
	describe.skipIf(kind.skip !== null)(`a volume of kind ${name}${kind.skip ? ` (${kind.skip})` : ""}`, () => {
		let folder: string;
		let yard: Yard;
		let opened: (Source | Target)[];
		beforeEach(async () => {
			folder = mkdtempSync(join(tmpdir(), "volume-"));
			opened = [];
			yard = await kind.open(folder);
		});
		afterEach(async () => {
			for (const end of opened) await end.close();
			await yard?.close();
			await new Removal().remove(folder);
		});

		const scratches = () => ({ sourceScratch: join(folder, "s"), targetScratch: join(folder, "t") });
		const source = async () => {
			const one = await openSource(yard.from, {
				scratch: scratches().sourceScratch,
				elsewhere: yard.elsewhere,
			});
			opened.push(one);
			return one;
		};
		const target = async (place = yard.to, scratch = scratches().targetScratch, seeds: Place[] = []) => {
			const one = await openTarget(place, { scratch, seeds, elsewhere: yard.elsewhere });
			opened.push(one);
			return one;
		};
		const errand = (more: Partial<Errand> = {}): Errand => ({
			...{ from: yard.from, to: yard.to, frozen: false, swap: false, lean: false, reach: yard.reach },
			...scratches(),
			...more,
		});

		test("arrives as it was, and what was there before is gone", async () => {
			await yard.populate();
			await yard.occupy();
			const before = await yard.contents(yard.to);
			const [from, to] = [await source(), await target()];
			const { left, entries } = await round(from, to, { frozen: true });
			expect(left).toEqual([]);
			expect(entries.length).toBeGreaterThan(0);
			expect(await yard.contents(yard.to)).toEqual(before);
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
			expect(await yard.contents(yard.to)).not.toEqual(before);
		}, 120_000);

		test("takes its place once, however often it is told to", async () => {
			await yard.populate();
			const to = await target();
			await round(await source(), to, { frozen: true });
			await to.swap(never);
			await to.swap(never);
			const again = await target();
			await again.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
			await again.discard();
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test("lists each entry once, its pieces named by their hashes, and reads them in whatever order", async () => {
			await yard.populate();
			const from = await source();
			const entries = await listed(from, true);
			expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length);
			const wanted = namesIn(entries).reverse();
			expect(wanted.length).toBeGreaterThan(12);
			const pieces = await readAll(from, wanted);
			expect(pieces.map(({ path, index }) => ({ path, index }))).toEqual(wanted);
			const sizes = new Map<string, number>();
			for (const { path, index, bytes } of pieces) {
				const entry = entries.find((one) => one.path === path);
				expect(hashOf(bytes)).toBe(entry?.pieces[index]);
				expect(bytes.length).toBe(Math.min(pieceSize, (entry?.size ?? 0) - index * pieceSize));
				sizes.set(path, (sizes.get(path) ?? 0) + bytes.length);
			}
			for (const { path, size } of entries) expect(sizes.get(path) ?? 0).toBe(size);
		}, 120_000);

		test("leaves out what nobody has listed", async () => {
			await yard.populate();
			const from = await source();
			const [first] = namesIn(await listed(from, true)) as [PieceName];
			const wanted = [{ ...first, index: 1_000_000 }, first, { path: "none/such", index: 0 }];
			const pieces = await readAll(from, wanted);
			expect(pieces.map(({ path, index }) => ({ path, index }))).toEqual([first]);
		}, 120_000);

		test("costs a second round what has changed", async () => {
			await yard.populate();
			const [from, to] = [await source(), await target()];
			const first = await round(from, to);
			expect(first.left).toEqual([]);
			const same = await round(from, to);
			expect([same.asked, same.bytes, same.left]).toEqual([[], 0, []]);
			const most = await yard.change();
			const second = await round(from, to, { frozen: true });
			expect(second.left).toEqual([]);
			expect(second.bytes).toBeGreaterThan(0);
			expect(second.bytes).toBeLessThanOrEqual(most);
			expect(most).toBeLessThan(first.bytes);
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test("is copied while it is written to, and exact once nobody writes any more", async () => {
			await yard.populate();
			const [from, to] = [await source(), await target()];
			const stop = await yard.writeAllTheTime();
			try {
				for (let n = 0; n < 3; n++) await round(from, to);
			} finally {
				await stop();
			}
			expect((await round(from, to, { frozen: true })).left).toEqual([]);
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test("gives no piece that is gone, and says so in settle", async () => {
			await yard.populate();
			const [from, to] = [await source(), await target()];
			const entries = await listed(from, false);
			const gone = await yard.remove(entries);
			if (gone === null) return;
			const listing = listingOf(entries);
			await fetched(from, to, entries, await gathered(to.lacking(listing, never)));
			expect((await to.settle(listing, never)).map(({ path }) => path)).toContain(gone);
			expect((await round(from, to, { frozen: true })).left).toEqual([]);
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test("takes the same piece twice, and asks for none twice", async () => {
			await yard.populate();
			const [from, to] = [await source(), await target()];
			const entries = await listed(from, true);
			const listing = listingOf(entries);
			const asked = await gathered(to.lacking(listing, never));
			const hashes = asked.map(({ path, index }) => entries.find((one) => one.path === path)?.pieces[index]);
			expect(new Set(hashes).size).toBe(asked.length);
			for (let n = 0; n < 2; n++) await fetched(from, to, entries, asked);
			expect(await to.settle(listing, never)).toEqual([]);
			expect(await to.settle(listing, never)).toEqual([]);
		}, 120_000);

		test("goes on in the same folder with what it has", async () => {
			await yard.populate();
			const first = await source();
			const entries = await listed(first, false);
			const listing = listingOf(entries);
			const to = await target();
			const asked = await gathered(to.lacking(listing, never));
			await fetched(first, to, entries, asked.slice(0, -3));
			await first.close();
			await to.close();
			const [from, again] = [await source(), await target()];
			const missing = await gathered(again.lacking(listingOf(await listed(from, false)), never));
			expect(missing.length).toBeLessThanOrEqual(3);
			expect((await round(from, again, { frozen: true })).left).toEqual([]);
			await again.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test.each(["listed", "written 8", "settled 0"])(
			"survives kill -9 after “%s”",
			async (line: string) => {
				await yard.populate();
				await killed(errand(), line);
				const [from, to] = [await source(), await target()];
				expect((await round(from, to, { frozen: true })).left).toEqual([]);
				await to.swap(never);
				expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
			},
			120_000,
		);

		test("has a copy for a rehearsal, which may change without changing it", async () => {
			await yard.populate();
			const to = await target();
			await round(await source(), to, { frozen: true });
			for (let n = 0; n < 2; n++) {
				await to.copyTo(yard.rehearsal, never);
				expect(await yard.contents(yard.rehearsal)).toEqual(await yard.contents(yard.from));
			}
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test("finds a damaged piece, and takes it again", async () => {
			await yard.populate();
			if (!yard.damage) return;
			const [from, to] = [await source(), await target()];
			const { entries, listing } = await round(from, to);
			await yard.damage(scratches().targetScratch);
			const left = await to.settle(listing, never);
			expect(left.length).toBeGreaterThan(0);
			await fetched(from, to, entries, left);
			expect(await to.settle(listing, never)).toEqual([]);
			await to.swap(never);
			expect(await yard.contents(yard.to)).toEqual(await yard.contents(yard.from));
		}, 120_000);

		test("refuses what is hostile, and stays as it is", async () => {
			await yard.populate();
			await yard.occupy();
			const before = await yard.contents(yard.to);
			for (const [what, entries] of Object.entries(yard.hostile)) {
				const to = await target(yard.to, join(folder, `hostile-${hashOf(Buffer.from(what))}`));
				await expect(take(to, entries), what).rejects.toMatchObject({ code: "volume-unfit" });
				await to.discard();
			}
			expect(await yard.contents(yard.to)).toEqual(before);
		}, 120_000);

		test("leaves nothing behind when it is called off, or forgotten", async () => {
			await yard.populate();
			await yard.occupy();
			const before = await yard.contents(yard.to);
			const [from, to] = [await source(), await target()];
			await round(from, to);
			for (let n = 0; n < 2; n++) await to.discard();
			for (let n = 0; n < 2; n++) await from.forget();
			const { sourceScratch, targetScratch } = scratches();
			expect([sourceScratch, targetScratch].filter((one) => existsSync(one))).toEqual([]);
			expect(await yard.contents(yard.to)).toEqual(before);
		}, 120_000);

		test("ends soon when it is told to", async () => {
			await yard.populate();
			const from = await source();
			const reason = new Error("enough");
			const signal = AbortSignal.abort(reason);
			await expect(gathered(from.list({ frozen: false, signal }))).rejects.toThrow();
		}, 120_000);

		test("needs little memory, however long what it moves", async () => {
			await yard.grow(200 * 1024 * 1024);
			const lines = await ended(mover(errand({ lean: true, frozen: true }), ["--max-old-space-size=48"]));
			const memory = Number(lines.find((line) => line.startsWith("memory"))?.split(" ")[1]);
			expect(lines).toContain("settled 0");
			expect(memory).toBeLessThan(200e6);
		}, 180_000);
	});
}

/** All that a target does before it could be swapped; pieces are made up and named after what they hold, as a hostile peer's would be. */
async function take(target: Target, hostile: readonly Entry[]): Promise<void> {
	const sizeAt = ({ size }: Entry, index: number) => Math.max(0, Math.min(pieceSize, size - index * pieceSize));
	const bytesOf = (entry: Entry, index: number) => noise(sizeAt(entry, index), `${index} ${entry.path}`);
	const entries = hostile.map((entry) => ({
		...entry,
		pieces: entry.pieces.map((name, index) => (name.length === 43 ? hashOf(bytesOf(entry, index)) : name)),
	}));
	const listing = listingOf(entries);
	const asked = await gathered(target.lacking(listing, never));
	const byPath = new Map(entries.map((entry) => [entry.path, entry]));
	await target.write(asked.map((name) => ({ ...name, bytes: bytesOf(byPath.get(name.path) as Entry, name.index) })));
	await target.settle(listing, never);
}

export function namesIn(entries: readonly Entry[]): PieceName[] {
	return entries.flatMap(({ path, pieces }) => pieces.map((_, index) => ({ path, index })));
}

function mover(errand: Errand, options: readonly string[] = []): ChildProcess {
	const program = join(import.meta.dirname, "volume-mover.ts");
	return spawn(process.execPath, [...options, program, JSON.stringify(errand)], {
		stdio: ["ignore", "pipe", "inherit"],
	});
}

/** Runs the mover until it says this, and kills it at that moment. */
async function killed(errand: Errand, line: string): Promise<void> {
	const child = mover(errand);
	const gone = new Promise((resolve) => child.once("close", resolve));
	for await (const said of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) {
		if (said !== line) continue;
		child.kill("SIGKILL");
		await gone;
		expect(child.signalCode).toBe("SIGKILL");
		return;
	}
	throw new Error(`The mover ended without saying “${line}”`);
}

async function ended(child: ChildProcess): Promise<string[]> {
	const lines: string[] = [];
	const gone = new Promise((resolve) => child.once("close", resolve));
	for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> }))
		lines.push(line);
	expect(await gone).toBe(0);
	return lines;
}
