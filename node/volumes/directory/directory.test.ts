/** What a folder on the move promises beyond what every volume does (test/contracts/volume.ts). */
import {
	chownSync,
	closeSync,
	existsSync,
	linkSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { contentsOf, plant } from "../../../test/contracts/directory-yard.ts";
import { fetched, gathered, listed, listingOf, never, noise, round } from "../../../test/contracts/round.ts";
import { changesSince } from "../../transfer/changes.ts";
import type { ManifestVolume } from "../../transfer/inventory.ts";
import { ListingFile, lineOf } from "../../transfer/lines.ts";
import { hashOf } from "../piece.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { Removal } from "./removal.ts";
import { DirectorySource } from "./source.ts";
import { DirectoryTarget } from "./target.ts";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "directory-"));
	mkdirSync(at("from"));
});
afterEach(() => new Removal().remove(folder));

const source = (from = at("from"), scratch = at("s")) => new DirectorySource(from, scratch);
const target = (seeds: string[] = [], owner: number | null = null) =>
	new DirectoryTarget({ path: at("to"), owner, scratch: at("t"), seeds });
const write = (name: string, content: string | Buffer) => {
	mkdirSync(dirname(at("from", name)), { recursive: true });
	writeFileSync(at("from", name), content);
};
/** Passes the time until the file system's clock has gone on. */
function nextTick(): void {
	const now = () => {
		writeFileSync(at("clock"), String(Math.random()));
		return statSync(at("clock"), { bigint: true }).ctimeNs;
	};
	for (const before = now(); now() <= before; );
}
const isRoot = process.getuid?.() === 0;

describe("what is read", () => {
	test("is read once as long as it looks the same, and again when it was written to in the same tick", async () => {
		for (let n = 0; n < 20; n++) write(`${n}`, "same");
		const from = source();
		const before = await listed(from, false);
		// As somebody would who writes right after the scan, in the same tick of the clock, and the same length.
		for (let n = 0; n < 20; n++) write(`${n}`, "lame");
		const after = await listed(from, false);
		expect(after.map(({ pieces }) => pieces)).not.toContainEqual(before[0]?.pieces);
	});

	test("is not remembered of a file that was written to since the scan began", async () => {
		for (let n = 1000; n < 1600; n++) write(`${n}`, "before");
		nextTick();
		const batches = source().list({ frozen: false, signal: never })[Symbol.asyncIterator]();
		await batches.next();
		write("1599", "meanwhile");
		while (!(await batches.next()).done);
		const known = readFileSync(at("s", "seen", "known"), "latin1");
		expect([/^1598\t/m.test(known), /^1599\t/m.test(known)]).toEqual([true, false]);
	});

	test("is remembered by a source that comes later", async () => {
		write("a", noise(3 * pieceSize, 1));
		nextTick();
		await listed(source(), false);
		const known = readFileSync(at("s", "seen", "known"), "latin1");
		// Spoilt on purpose: what is listed now can only come from there.
		writeFileSync(at("s", "seen", "known"), known.replace(/\t[\w-]{43}/, `\t${"x".repeat(43)}`), "latin1");
		const [entry] = await listed(source(), false);
		expect(entry?.pieces[0]).toBe("x".repeat(43));
	});

	test("is read up to what was there when a scan was cut off", async () => {
		for (let n = 0; n < 2000; n++) write(`${n}`, `${n}`);
		nextTick();
		const cut = source().list({ frozen: false, signal: never })[Symbol.asyncIterator]();
		await cut.next();
		await cut.return?.();
		expect(readFileSync(at("s", "seen", "known.part"), "latin1").split("\n").length).toBeGreaterThan(400);
		expect((await listed(source(), true)).length).toBe(2000);
		expect(readdirSync(at("s", "seen")).sort()).toEqual(["known", "tick"]);
	});

	test.skipIf(!existsSync("/proc/self/maps"))("is read again where a process can change it unseen", async () => {
		const database = new Sqlite(at("from", "db"));
		database.pragma("journal_mode = WAL");
		database.exec("CREATE TABLE a (b)");
		nextTick();
		await listed(source(), false);
		const known = () =>
			readFileSync(at("s", "seen", "known"), "latin1")
				.replaceAll(/\t.*/g, "")
				.split("\n");
		expect(known()).toEqual(["db", "db-wal", ""]);
		database.close();
		nextTick();
		await listed(source(), false);
		expect(known()).toEqual(["db", ""]);
	});

	test("is refused where a link leads out, naming it", async () => {
		symlinkSync("/etc/passwd", at("from", "out"));
		await expect(listed(source(), false)).rejects.toMatchObject({ code: "volume-unfit", params: { path: "out" } });
	});

	test("is never what lies behind a folder that turned into a link", async () => {
		mkdirSync(at("elsewhere"));
		writeFileSync(at("elsewhere", "secret"), "not yours");
		write("inner/secret", "mine");
		const from = source();
		await listed(from, false);
		renameSync(at("from", "inner"), at("from", "moved"));
		symlinkSync(at("elsewhere"), at("from", "inner"));
		expect(await gathered(from.read([{ path: "inner/secret", index: 0 }], never))).toEqual([]);
	});

	test("is never a path that leads out", async () => {
		const reading = gathered(source().read([{ path: "../secret", index: 0 }], never));
		await expect(reading).rejects.toMatchObject({ code: "volume-unfit" });
	});

	test("must be there", async () => {
		await expect(listed(source(at("none")), true)).rejects.toMatchObject({ code: "volume-unfit" });
	});

	test("must not change once nobody writes any more", async () => {
		// So long that others have their turn several times while it is read.
		write("a", noise(pieceSize, 1));
		truncateSync(at("from", "a"), 2000 * pieceSize);
		const listing = listed(source(), true);
		const fd = openSync(at("from", "a"), "r+");
		const writing = setInterval(() => writeSync(fd, String(Math.random()), 0), 1);
		await expect(listing).rejects.toMatchObject({ code: "volume-busy", params: { path: "a" } });
		clearInterval(writing);
		closeSync(fd);
	});
});

describe("what is here already", () => {
	test("is not asked for: in a copy that was kept, in the place, under another name", async () => {
		plant(at("from"));
		plant(at("kept"));
		writeFileSync(at("kept", "big"), "spoilt");
		mkdirSync(at("to"));
		writeFileSync(at("to", "other name"), noise(5 * pieceSize + 77, "big"));
		const { asked, left } = await round(source(), target([at("kept")]), { frozen: true });
		expect([asked, left]).toEqual([[], []]);
		await target().swap(never);
		expect(contentsOf(at("to"))).toEqual(contentsOf(at("from")));
	});

	test("is checked before it is used", async () => {
		write("a", noise(1000, 1));
		mkdirSync(at("kept"));
		writeFileSync(at("kept", "a"), noise(1000, 1));
		utimesSync(at("kept", "a"), 1, 1);
		const to = target([at("kept")]);
		await gathered(to.lacking(listingOf([]), never));
		const entries = await listed(source(), true);
		for await (const _ of to.lacking(listingOf(entries), never));
		rmSync(at("t", "stage", "a"));
		const fd = openSync(at("kept", "a"), "r+");
		writeSync(fd, "X", 3);
		closeSync(fd);
		utimesSync(at("kept", "a"), 1, 1);
		const again = await round(source(), to, { frozen: true });
		expect([again.asked.length, again.left]).toEqual([1, []]);
	});

	test("is not asked for when files swap their names in a row", async () => {
		for (let n = 0; n < 6; n++) write(`log.${n}`, noise(pieceSize + n, n));
		const [from, to] = [source(), target()];
		await round(from, to);
		for (let n = 6; n > 0; n--) renameSync(at("from", `log.${n - 1}`), at("from", `log.${n}`));
		write("log.0", "new");
		const { asked, left } = await round(from, to, { frozen: true });
		expect([asked, left]).toEqual([[{ path: "log.0", index: 0 }], []]);
	});

	test.each([false, true])(
		"stays apart when two names of one file become two files; killed before: %s",
		async (isKilled) => {
			write("a", "one content");
			linkSync(at("from", "a"), at("from", "b"));
			linkSync(at("from", "a"), at("from", "c"));
			const [from, to] = [source(), target()];
			await round(from, to);
			rmSync(at("from", "a"));
			write("a", "another one");
			// The same content, and yet a file of its own now.
			rmSync(at("from", "c"));
			write("c", "one content");
			await to.close();
			if (isKilled) writeFileSync(at("t", "dirty"), "");
			const { asked, left } = await round(from, target(), { frozen: true });
			expect([asked, left]).toEqual([[{ path: "a", index: 0 }], []]);
			await target().swap(never);
			expect(contentsOf(at("to"))).toEqual(contentsOf(at("from")));
		},
	);
});

test("what was settled half is not taken for what looked the same before", async () => {
	const hold = (content: string) => {
		write("a", content);
		utimesSync(at("from", "a"), 1_000_000_000, 1_000_000_000);
	};
	hold("one");
	const to = target();
	await round(source(), to);
	hold("two");
	const entries = await listed(source(), false);
	const listing = listingOf(entries);
	await fetched(source(), to, entries, await gathered(to.lacking(listing, never)));
	const cut = { ...listing, batches: () => cutOff(entries) };
	await expect(to.settle(cut, never)).rejects.toThrow("cut off");
	await to.close();
	hold("one");
	const again = target();
	expect((await round(source(), again, { frozen: true })).left).toEqual([]);
	await again.swap(never);
	expect(readFileSync(at("to", "a"), "utf8")).toBe("one");
});

async function* cutOff(entries: readonly Entry[]) {
	yield entries;
	throw new Error("cut off");
}

describe("a swap that was cut off", () => {
	async function settled() {
		write("a", "new");
		mkdirSync(at("to"));
		writeFileSync(at("to", "a"), "old");
		const to = target();
		await round(source(), to, { frozen: true });
		await to.close();
	}

	test("is completed after its first half, whatever has come in between", async () => {
		await settled();
		writeFileSync(at("t", "swapping"), at("to"));
		mkdirSync(at("t", "before"));
		renameSync(at("to"), at("t", "before", "0"));
		mkdirSync(at("to"));
		writeFileSync(at("to", "stray"), "made by a service that was started too early");
		await target().swap(never);
		expect(readdirSync(at("to"))).toEqual(["a"]);
		expect(readFileSync(at("to", "a"), "utf8")).toBe("new");
		expect(existsSync(at("t", "before"))).toBe(false);
	});

	test("is completed after its second half", async () => {
		await settled();
		writeFileSync(at("t", "swapping"), at("to"));
		mkdirSync(at("t", "before"));
		renameSync(at("to"), at("t", "before", "0"));
		renameSync(at("t", "stage"), at("to"));
		await target().swap(never);
		expect(readFileSync(at("to", "a"), "utf8")).toBe("new");
		expect(existsSync(at("t", "before"))).toBe(false);
	});

	test("is taken back when it is called off after its first half", async () => {
		await settled();
		writeFileSync(at("t", "swapping"), at("to"));
		mkdirSync(at("t", "before"));
		renameSync(at("to"), at("t", "before", "0"));
		await target().discard();
		expect(readFileSync(at("to", "a"), "utf8")).toBe("old");
	});

	test("begins only with what has settled", async () => {
		await settled();
		await target().write([{ path: "a", index: 0, bytes: Buffer.from("more") }]);
		await expect(target().swap(never)).rejects.toThrow(/settled/);
		expect(readFileSync(at("to", "a"), "utf8")).toBe("old");
	});
});

test("the folder keeps the mode that it has here, and a link to it stays one", async () => {
	write("a", "new");
	mkdirSync(at("real"), { mode: 0o751 });
	symlinkSync("real", at("to"));
	const to = target();
	await round(source(), to, { frozen: true });
	await to.swap(never);
	expect(lstatSync(at("to")).isSymbolicLink()).toBe(true);
	expect(statSync(at("real")).mode & 0o777).toBe(0o751);
	expect(readdirSync(at("real"))).toEqual(["a"]);
});

test.skipIf(!isRoot)("all of it belongs to whom the place belongs", async () => {
	plant(at("from"));
	for (const name of ["big", "object/1"]) chownSync(at("from", name), 12, 34);
	const to = target([], 4321);
	await round(source(), to, { frozen: true });
	await to.swap(never);
	const owners = readdirSync(at("to"), { recursive: true, encoding: "buffer" }).map(
		(name) => lstatSync(Buffer.concat([Buffer.from(`${at("to")}/`), name])).uid,
	);
	expect(new Set([statSync(at("to")).uid, ...owners])).toEqual(new Set([4321]));
	expect(contentsOf(at("to"))).toEqual(contentsOf(at("from")));
});

test("nothing comes with its owner's rights", async () => {
	write("a", "#!/bin/sh");
	const entries = (await listed(source(), true)).map((entry) => ({ ...entry, mode: 0o6755 }));
	const to = target();
	const listing = listingOf(entries);
	await fetched(source(), to, entries, await gathered(to.lacking(listing, never)));
	await to.settle(listing, never);
	await to.swap(never);
	expect(lstatSync(at("to", "a")).mode & 0o7777).toBe(0o755);
});

/** A tree as a property: paths of few names, so that files become folders, links files, and so on. */
const name = fc.constantFrom("a", "b", "c", "ü", "d e");
const thing = fc.oneof(
	fc.record({
		kind: fc.constant("file" as const),
		size: fc.constantFrom(0, 1, 500, pieceSize, pieceSize * 2 + 1),
		seed: fc.nat(3),
	}),
	fc.record({ kind: fc.constant("link" as const), to: name }),
	fc.record({ kind: fc.constant("name" as const), of: fc.nat(20) }),
	fc.record({ kind: fc.constant("folder" as const) }),
	fc.record({ kind: fc.constant("gone" as const) }),
);
const step = fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), thing);
const history = fc.array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 3 });

function apply(
	root: string,
	steps: readonly (readonly [string[], typeof thing extends fc.Arbitrary<infer One> ? One : never])[],
) {
	for (const [parts, what] of steps) {
		const path = join(root, ...parts);
		for (let n = 1; n < parts.length; n++) {
			const around = join(root, ...parts.slice(0, n));
			if (lstatSync(around, { throwIfNoEntry: false })?.isDirectory()) continue;
			rmSync(around, { force: true });
			mkdirSync(around);
		}
		// Those that are only seen through a symlink go with what it leads to.
		const files = readdirSync(root, { recursive: true, encoding: "utf8" })
			.filter((one) => realpathOf(root, one) === join(realpathSync(root), one) && !path.startsWith(join(root, one)))
			.filter((one) => lstatSync(join(root, one)).isFile())
			.sort();
		const other = what.kind === "name" ? files[what.of % Math.max(1, files.length)] : undefined;
		if (other && join(root, other).startsWith(`${path}/`)) continue;
		rmSync(path, { recursive: true, force: true });
		if (what.kind === "file") writeFileSync(path, noise(what.size, what.seed));
		if (what.kind === "link") symlinkSync(what.to, path);
		if (what.kind === "folder") mkdirSync(path);
		if (other) linkSync(join(root, other), path);
	}
}

function realpathOf(root: string, path: string): string | undefined {
	try {
		return realpathSync(join(root, path));
	} catch {
		// A symlink that leads nowhere.
		return undefined;
	}
}

test("any tree arrives, and whatever becomes of it in the next rounds", async () => {
	await fc.assert(
		fc.asyncProperty(history, async (rounds) => {
			for (const one of ["from", "to", "s", "t"]) rmSync(at(one), { recursive: true, force: true });
			mkdirSync(at("from"));
			const [from, to] = [source(), target()];
			for (const [n, steps] of rounds.entries()) {
				apply(at("from"), steps);
				const { left } = await round(from, to, { frozen: n === rounds.length - 1 });
				expect(left).toEqual([]);
			}
			await to.swap(never);
			expect(contentsOf(at("to"))).toEqual(contentsOf(at("from")));
			await to.close();
		}),
		{ numRuns: 60 },
	);
}, 120_000);

/** Listings as a transfer has them: in files, and told as what has changed since the one before. */
class Tellings {
	#before: { file: string; volume: ManifestVolume } | undefined;
	#count = 0;
	/** How many were told by their changes. */
	told = 0;

	async next(all: readonly Entry[]): Promise<ListingFile> {
		const file = at(`listing-${this.#count++}`);
		const text = all.map((entry) => `${lineOf(entry)}\n`).join("");
		writeFileSync(file, text);
		const bytes = all.reduce((sum, { size }) => sum + size, 0);
		const volume: ManifestVolume = {
			...{ service: "a", name: "b", kind: "directory", entries: all.length, bytes },
			...{ listing: hashOf(Buffer.from(text)), length: Buffer.byteLength(text) },
		};
		const now = { file, volume };
		const changes = this.#before && (await changesSince(this.#before, now));
		const since = this.#before?.volume.listing ?? "";
		this.#before = now;
		if (changes) this.told++;
		return new ListingFile(file, volume, changes && { since, all: changes });
	}
}

test("any tree arrives that is told by what has changed, and nothing of the former rounds stays", async () => {
	let told = 0;
	await fc.assert(
		fc.asyncProperty(history, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), async (rounds, again) => {
			for (const one of ["from", "to", "s", "t"]) rmSync(at(one), { recursive: true, force: true });
			mkdirSync(at("from"));
			const from = source();
			let to = target();
			const tellings = new Tellings();
			for (const [n, steps] of rounds.entries()) {
				apply(at("from"), steps);
				const entries = await listed(from, true);
				const listing = await tellings.next(entries);
				await fetched(from, to, entries, await gathered(to.lacking(listing, never)));
				for (let left = await to.settle(listing, never, { isLive: n % 2 === 0 }); left.length > 0; ) {
					await fetched(from, to, entries, left);
					left = await to.settle(listing, never);
				}
				if (!again[n % again.length]) continue;
				await to.close();
				to = target();
			}
			told += tellings.told;
			await to.swap(never);
			expect(contentsOf(at("to"))).toEqual(contentsOf(at("from")));
			await to.close();
		}),
		{ numRuns: 60 },
	);
	expect(told).toBeGreaterThan(0);
}, 120_000);

test("what had not come to the disk when the machine went down is read again", async () => {
	write("a", noise(3 * pieceSize, 1));
	const [from, to] = [source(), target()];
	const entries = await listed(from, true);
	const listing = await new Tellings().next(entries);
	await fetched(from, to, entries, await gathered(to.lacking(listing, never)));
	expect(await to.settle(listing, never, { isLive: true })).toEqual([]);
	await to.close();
	// The same look, other content: as a cut of the power leaves it.
	const staged = at("t", "stage", "a");
	const { atime, mtime } = statSync(staged);
	const damage = () => {
		writeFileSync(staged, Buffer.alloc(3 * pieceSize));
		utimesSync(staged, atime, mtime);
	};
	damage();
	writeFileSync(at("t", "running"), "another start of the machine");
	const again = target();
	await expect(again.swap(never)).rejects.toThrow("Nothing has settled");
	expect((await gathered(again.lacking(listing, never))).map(({ index }) => index)).toEqual([0, 1, 2]);
	await fetched(from, again, entries, await gathered(again.lacking(listing, never)));
	expect(await again.settle(listing, never)).toEqual([]);
	expect(existsSync(at("t", "running"))).toBe(false);
	await again.swap(never);
	expect(contentsOf(at("to"))).toEqual(contentsOf(at("from")));
});
