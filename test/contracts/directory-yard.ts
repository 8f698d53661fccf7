/** A folder with everything in it that a folder can hold. */
import { execFileSync } from "node:child_process";
import {
	appendFileSync,
	chmodSync,
	closeSync,
	ftruncateSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Entry, type Place, pieceSize } from "../../node/volumes/volume.ts";
import { hashOf, noise } from "./round.ts";
import type { VolumeUnderTest, Yard } from "./volume.ts";

export const directory: VolumeUnderTest = {
	skip: null,
	open: async (folder) => new DirectoryYard(folder),
};

const one = "A".repeat(43);
const file = (path: string, more: Partial<Entry> = {}): Entry => ({
	path,
	type: "file",
	size: 3,
	pieces: [one],
	...more,
});
const folder = (path: string): Entry => ({ path, type: "folder", size: 0, pieces: [] });
const symlink = (path: string, target: string): Entry => ({ path, type: "symlink", size: 0, pieces: [], target });
const hardlink = (path: string, target: string): Entry => ({ path, type: "hardlink", size: 0, pieces: [], target });

class DirectoryYard implements Yard {
	readonly from: Place & { kind: "directory" };
	readonly to: Place & { kind: "directory" };
	readonly rehearsal: Place;

	constructor(folder: string) {
		const place = (name: string) => ({ kind: "directory", path: join(folder, name), owner: null }) as const;
		this.from = place("from");
		this.to = place("to");
		this.rehearsal = place("rehearsal");
	}

	async populate(): Promise<void> {
		plant(this.from.path);
	}

	async occupy(): Promise<void> {
		mkdirSync(join(this.to.path, "old", "deep"), { recursive: true });
		writeFileSync(join(this.to.path, "old", "deep", "file"), "what was there before");
		symlinkSync("/etc", join(this.to.path, "people"));
	}

	async change(): Promise<number> {
		const at = (name: string) => join(this.from.path, name);
		const fd = openSync(at("big"), "r+");
		writeSync(fd, "changed", pieceSize * 3 + 5);
		closeSync(fd);
		writeFileSync(at("people/anna/notes"), "new notes");
		writeFileSync(at("people/new"), "new");
		rmSync(at("people/bert"), { recursive: true });
		renameSync(at("object/17"), at("object/moved"));
		rmSync(at("empty"), { recursive: true });
		writeFileSync(at("empty"), "now a file");
		unlinkSync(at("log.2"));
		renameSync(at("log.1"), at("log.2"));
		renameSync(at("log"), at("log.1"));
		writeFileSync(at("log"), "begun anew");
		chmodSync(at("object/3"), 0o640);
		chmodSync(at("locked/deep"), 0o755);
		rmSync(at("locked/deep/b"));
		writeFileSync(at("locked/deep/c"), "new", { mode: 0o400 });
		chmodSync(at("locked/deep"), 0o555);
		return pieceSize + 100;
	}

	async grow(bytes: number): Promise<void> {
		mkdirSync(this.from.path);
		const fd = openSync(join(this.from.path, "huge"), "w");
		for (let written = 0; written < bytes; written += 1024 * 1024) writeSync(fd, noise(1024 * 1024, written));
		closeSync(fd);
	}

	async writeAllTheTime(): Promise<() => Promise<void>> {
		const at = (name: string) => join(this.from.path, name);
		let count = 0;
		const writing = setInterval(() => {
			count++;
			appendFileSync(at("log"), `line ${count}\n`);
			writeFileSync(at("object/5"), `state ${count}`);
			writeFileSync(at(`people/came-${count}`), noise(5000, count));
			rmSync(at(`people/came-${count - 2}`), { force: true });
			renameSync(at("object/6"), at("object/7"));
			writeFileSync(at("object/6.new"), noise(700, count));
			renameSync(at("object/6.new"), at("object/6"));
			rmSync(at("people/folder"), { recursive: true, force: true });
			if (count % 2) mkdirSync(at("people/folder/deep"), { recursive: true });
			if (count % 3 === 0) truncateSync(at("log"), 10);
		}, 1);
		return async () => clearInterval(writing);
	}

	async remove(entries: readonly Entry[]): Promise<string> {
		const entry = entries.find(({ path }) => path === "people/anna/notes") as Entry;
		unlinkSync(join(this.from.path, entry.path));
		return entry.path;
	}

	damage = async (scratch: string): Promise<void> => {
		const path = join(scratch, "stage", "big");
		const { atime, mtime } = statSync(path);
		const fd = openSync(path, "r+");
		writeSync(fd, "X", 100);
		closeSync(fd);
		utimesSync(path, atime, new Date(mtime.getTime() + 1));
	};

	async contents(place: Place): Promise<unknown> {
		return place.kind === "directory" ? contentsOf(place.path) : null;
	}

	readonly hostile: Readonly<Record<string, readonly Entry[]>> = {
		"a path that goes up": [file("../evil")],
		"a path that goes up further down": [folder("a"), file("a/../../evil")],
		"an absolute path": [file("/tmp/evil")],
		"a path without a name": [file("")],
		"an empty part": [folder("a"), file("a//b")],
		"a dot": [file("./a")],
		"a NUL": [file("a\0b")],
		"a name written in two ways": [file("%61")],
		"half a character": [file("\ud800")],
		"an endless name": [file("a".repeat(256))],
		"a link to elsewhere": [symlink("a", "/etc")],
		"a link that goes up": [symlink("a", "../outside")],
		"a link that goes up by way of another": [folder("d"), symlink("d/a", "."), symlink("d/b", "a/../..")],
		"a link to nothing at all": [symlink("a", "")],
		"a link without target": [{ path: "a", type: "symlink", size: 0, pieces: [] }],
		"a file below a link": [symlink("a", "b"), file("a/x")],
		"a file below a file": [file("a"), file("a/x")],
		"a folder that is not listed": [file("a/x")],
		"the same twice": [file("a"), file("a")],
		"a link, then a folder of the same name": [symlink("a", "b"), folder("a")],
		"an order that is none": [file("b"), file("a")],
		"another name of what is outside": [hardlink("a", "../../etc/passwd")],
		"another name of what comes later": [hardlink("a", "b"), file("b")],
		"another name of what is not listed": [file("a"), hardlink("b", "aa")],
		"another name by way of a link": [folder("d"), file("d/x"), symlink("e", "d"), hardlink("f", "e/x")],
		"another name of a link": [symlink("a", "b"), hardlink("c", "a")],
		"a device": [{ path: "a", type: "device" as Entry["type"], size: 0, pieces: [] }],
		"an object": [{ path: "a", type: "object", size: 3, pieces: [one] }],
		"fewer pieces than its size": [file("a", { size: pieceSize + 1 })],
		"more pieces than its size": [file("a", { size: 0 })],
		"a size below nothing": [file("a", { size: -1, pieces: [] })],
		"a piece by no name": [file("a", { pieces: ["x"] })],
		"a mode that is none": [file("a", { mode: 0o100644 })],
		"a time that is none": [file("a", { modified: "now" })],
	};

	async close(): Promise<void> {}
}

/** Everything there can be in a folder, the same each time. */
export function plant(root: string): void {
	const at = (name: string) => join(root, name);
	for (const name of ["people/anna", "people/bert", "object", "timeline", "empty/emptier", "with a space", "ümlaut"])
		mkdirSync(at(name), { recursive: true });
	writeFileSync(at("big"), noise(5 * pieceSize + 77, "big"));
	writeFileSync(at("twin"), noise(2 * pieceSize, "big"));
	writeFileSync(at("object/twin of a small one"), noise(500, "object 4"));
	for (let n = 0; n < 40; n++) writeFileSync(at(`object/${n}`), noise(n * 125, `object ${n}`));
	for (let n = 0; n < 40; n += 2) linkSync(at(`object/${n}`), at(`timeline/${n}`));
	linkSync(at("object/2"), at("people/anna/favourite"));
	for (const [n, name] of ["log", "log.1", "log.2"].entries()) writeFileSync(at(name), noise(pieceSize + 3000, n));
	for (const name of ["people/anna/notes", "people/bert/notes", 'with a space/%41 100% \n\t"', "ümlaut/日本語"])
		writeFileSync(at(name), `notes of ${name}`);
	writeFileSync(at("nothing"), "");
	writeFileSync(at(`ümlaut/${"long".repeat(60)}`), "a long name");
	writeFileSync(Buffer.concat([Buffer.from(at("ümlaut/")), Buffer.from([0x66, 0xff, 0xe4, 0x2e])]), "no UTF-8");
	mkdirSync(Buffer.concat([Buffer.from(at("")), Buffer.from("/latin-\xe9", "latin1")]));
	writeFileSync(Buffer.concat([Buffer.from(at("")), Buffer.from("/latin-\xe9/x", "latin1")]), "in it");
	symlinkSync("object/1", at("link"));
	symlinkSync("../../object", at("people/anna/up"));
	symlinkSync("nowhere", at("people/anna/dangling"));
	symlinkSync(Buffer.from("latin-\xe9/x", "latin1"), at("link to latin"));
	sparse(at("sparse"));
	mkdirSync(at("locked/deep"), { recursive: true });
	for (const name of ["locked/a", "locked/deep/b"]) writeFileSync(at(name), name, { mode: 0o400 });
	for (const name of ["locked/deep", "locked"]) chmodSync(at(name), 0o555);
	chmodSync(at("object/3"), 0o600);
	chmodSync(at("object/5"), 0o755);
	chmodSync(at("people/bert"), 0o2750);
	lutimesSync(at("link"), 1_000_000_000, 1_000_000_000);
	utimesSync(at("object/9"), 1_234_567_890.123456, 1_234_567_890.123456);
	utimesSync(at("nothing"), -86_400, -86_400);
	utimesSync(at("people"), 1_111_111_111, 1_111_111_111);
	execFileSync("mkfifo", [at("pipe")]);
}

/** 64 MiB with 11 bytes in them. */
function sparse(path: string): void {
	const fd = openSync(path, "w");
	ftruncateSync(fd, 64 * 1024 * 1024);
	writeSync(fd, "in the void", 40 * 1024 * 1024);
	closeSync(fd);
}

/** What a folder holds, by names as bytes; what is neither file, folder nor link does not count. */
export function contentsOf(root: string): Record<string, unknown> {
	const found: Record<string, unknown> = {};
	const inodes = new Map<number, string>();
	const look = (path: string): void => {
		for (const name of readdirSync(bytes(path), { encoding: "latin1" }).sort()) {
			const inner = `${path}/${name}`;
			const stats = lstatSync(bytes(inner));
			const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : null;
			if (!kind) continue;
			const key = inner.slice(rootOf.length);
			const same = inodes.get(stats.ino) ?? key;
			inodes.set(stats.ino, same);
			const micro = lstatSync(bytes(inner), { bigint: true }).mtimeNs / 1000n;
			found[key] = {
				kind,
				mode: stats.mode & 0o7777,
				modified: String(micro),
				...(kind === "file" && { size: stats.size, hash: hashOf(readFileSync(bytes(inner))), same }),
				...(kind === "file" && stats.size > 1e7 && { isSparse: stats.blocks * 512 < stats.size / 2 }),
				...(kind === "link" && { target: readlinkSync(bytes(inner), { encoding: "latin1" }) }),
			};
			if (kind === "folder") look(inner);
		}
	};
	const rootOf = Buffer.from(root).toString("latin1");
	look(rootOf);
	return found;
}

const bytes = (raw: string) => Buffer.from(raw, "latin1");
