import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { hashOf } from "../piece.ts";
import { type Entry, pieceSize } from "../volume.ts";
import { ReadingAlong } from "./reading-along.ts";
import { survey } from "./survey.ts";

const folders: string[] = [];
const readers: ReadingAlong[] = [];
afterEach(() => {
	for (const reader of readers.splice(0)) reader.close();
	for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "reading-along-"));
	folders.push(folder);
	return folder;
}

/** One whose thread has begun; answers what it said of the last of these files, once it was the thread that read it. */
async function lastRead(root: string, raws: readonly string[]) {
	const along = new ReadingAlong({ root, isStaged: false }, 0);
	readers.push(along);
	for (;;) {
		const handful = along.begin(raws, 0);
		await new Promise((resolve) => setTimeout(resolve, 20));
		const content = await handful.content(raws.length - 1);
		if (content) return { along, content, handful };
	}
}

test("the second thread reads from the back what nobody else has claimed", async () => {
	const root = newFolder();
	mkdirSync(join(root, "in"));
	const bytes = Buffer.alloc(pieceSize + 7, "x");
	writeFileSync(join(root, "in/long"), bytes);
	writeFileSync(join(root, "short"), "y");

	const { content, handful } = await lastRead(root, ["nothing", "short", "in/long"]);

	expect(content).toMatchObject({ size: bytes.length, isSteady: true });
	expect(content.pieces).toBe(hashOf(bytes.subarray(0, pieceSize)) + hashOf(bytes.subarray(pieceSize)));
	expect((await handful.content(1))?.pieces).toBe(hashOf(Buffer.from("y")));
	expect(await handful.content(0)).toBeUndefined();
});

test("it follows no link, and leaves what it cannot read to the first thread", async () => {
	const root = newFolder();
	const outside = newFolder();
	writeFileSync(join(outside, "secret"), "s");
	symlinkSync(outside, join(root, "link"));
	symlinkSync(join(outside, "secret"), join(root, "file"));
	writeFileSync(join(root, "own"), "o");

	const { handful } = await lastRead(root, ["link/secret", "file", "link", "own"]);

	for (const number of [0, 1, 2]) expect(await handful.content(number)).toBeUndefined();
});

test("what was begun when it ends is left to who asks", async () => {
	const root = newFolder();
	writeFileSync(join(root, "own"), "o");
	const { along } = await lastRead(root, ["own"]);
	const handful = along.begin(["own", "own"], 0);
	along.close();
	expect(await handful.content(1)).toBeUndefined();
});

test("a survey of many files by two threads is the same as by one", async () => {
	const root = newFolder();
	const names = Array.from({ length: 900 }, (_, at) => `${at % 70}/${at}`);
	for (let at = 0; at < 70; at++) mkdirSync(join(root, `${at}`));
	for (const name of names) writeFileSync(join(root, name), name.repeat(20));
	appendFileSync(join(root, names[899] as string), Buffer.alloc(3 * pieceSize, "z"));

	const entries: Entry[] = [];
	const { signal } = new AbortController();
	const { along } = await lastRead(root, names);
	for await (const batch of survey({ root, scratch: newFolder(), frozen: true, along, signal })) entries.push(...batch);

	const files = entries.filter(({ type }) => type === "file");
	expect(entries).toHaveLength(970);
	expect(files.map(({ path }) => path).toSorted()).toEqual(names.toSorted());
	for (const { path, pieces, size } of files.filter(({ size }) => size < pieceSize)) {
		expect(size).toBe(path.length * 20);
		expect(pieces).toEqual([hashOf(Buffer.from(path.repeat(20)))]);
	}
	expect(files.filter(({ pieces }) => pieces.length === 4)).toHaveLength(1);
});
