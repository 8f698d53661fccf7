/** The thread of reading-along.ts. */
import { closeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { pieceSize } from "../volume.ts";
import { type Content, openFile, readContent } from "./content.ts";
import { Folders } from "./folders.ts";
import { folderOf, nameOf } from "./name.ts";
import { signatureOf, stagedSignatureOf } from "./records.ts";

/** Which tree it reads in. */
export interface TreeToRead {
	readonly root: string;
	/** Whether the tree is the node's own. */
	readonly isStaged: boolean;
}

/** Files to read, from the last one on until one that somebody else has claimed. */
export interface FilesToRead {
	readonly raws: readonly string[];
	/** Shared: 1 for each file that somebody reads. */
	readonly claims: Int32Array;
}

/** What was read, by number; undefined: somebody else reads that, or it cannot be read. */
export type Contents = readonly (Content | undefined)[];

const { root, isStaged } = workerData as TreeToRead;
const sign = isStaged ? stagedSignatureOf : signatureOf;
const room = Buffer.allocUnsafeSlow(pieceSize);
/** Nobody else waits for a turn in this thread, and nothing else may come between. */
const unhurried = { isDue: false, rest: async () => {} };

async function read({ raws, claims }: FilesToRead): Promise<Contents> {
	const contents: (Content | undefined)[] = Array.from({ length: raws.length });
	const folders = new Folders(root);
	for (let number = raws.length - 1; number >= 0 && Atomics.compareExchange(claims, number, 0, 1) === 0; number--)
		contents[number] = await readOne(folders, raws[number] as string);
	folders.close();
	return contents;
}

async function readOne(folders: Folders, raw: string): Promise<Content | undefined> {
	try {
		const fd = openFile(folders.at(folderOf(raw)), nameOf(raw));
		if (fd === undefined) return undefined;
		return await readContent(fd, room, unhurried, undefined, sign).finally(() => closeSync(fd));
	} catch {
		// Whoever asked will find out what is the matter with it.
		return undefined;
	}
}

let before: Promise<unknown> = Promise.resolve();
parentPort?.on("message", (files: FilesToRead) => {
	before = before.then(async () => parentPort?.postMessage(await read(files)));
});
