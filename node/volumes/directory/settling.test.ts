import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hashOf } from "../piece.ts";
import type { Entry, Listing } from "../volume.ts";
import type { Content } from "./content.ts";
import { stagedSignatureOf } from "./records.ts";
import { Round } from "./round.ts";
import { Settling } from "./settling.ts";
import { Tree } from "./tree.ts";

const wanted: Entry = { path: "a", type: "file", size: 3, pieces: [hashOf(Buffer.from("new"))], mode: 0o644 };
const listing: Listing = {
	entries: 1,
	bytes: 3,
	async *batches() {
		yield [wanted];
	},
};

/** What is lacking where the file holds something else, and the second thread says that it has read this. */
async function lackingWhen(read: (right: Content) => Content | undefined) {
	const scratch = mkdtempSync(join(tmpdir(), "settling-"));
	onTestFinished(() => rmSync(scratch, { recursive: true }));
	mkdirSync(join(scratch, "stage"));
	writeFileSync(join(scratch, "stage/a"), "old");
	const stats = lstatSync(join(scratch, "stage/a"), { bigint: true });
	const look = { size: 3, mode: 0o644, modified: stats.mtimeNs, changed: stats.ctimeNs, isSteady: true };
	const content = read({ ...look, signature: stagedSignatureOf(stats), pieces: wanted.pieces.join("") });
	const tree = new Tree(join(scratch, "stage"));
	const settling = new Settling({
		...{ tree, scratch, round: new Round(listing), owner: null, touch: () => {} },
		along: { begin: () => ({ content: async () => content }) },
		signal: new AbortController().signal,
	});
	const lacking = await settling.settle(listing);
	settling.close();
	tree.close();
	return lacking.length;
}

test("what the second thread has read is believed as long as the file looks like that", async () => {
	expect(await lackingWhen((right) => right)).toBe(0);
});

test.each<[string, (right: Content) => Content | undefined]>([
	["it has read nothing", () => undefined],
	["the file looks otherwise now", (right) => ({ ...right, signature: "1 3 7" })],
	["the file changed while it was read", (right) => ({ ...right, isSteady: false })],
	["it was longer", (right) => ({ ...right, size: 4 })],
	["it held something else", (right) => ({ ...right, pieces: hashOf(Buffer.from("old")) })],
])("a file is read here where %s", async (_when, read) => {
	expect(await lackingWhen(read)).toBe(1);
});
