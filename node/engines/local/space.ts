import { statfs } from "node:fs/promises";
import { Problem } from "#protocol/problem.ts";

/** With less than this nothing can be written down reliably. */
const leastFree = 2 ** 20;

/** Throws Problem disk-full where there is no room left, before anything is half written. */
export async function requireSpace(folder: string): Promise<void> {
	if (await isFull(folder)) throw new Problem("disk-full", { folder });
}

/** Does the work. On a full disk programs fail in ways of their own, but what a person must hear is that it is full. */
export async function honestAboutSpace<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		const full = code === "ENOSPC" || code === "EDQUOT" || (await isFull(folder));
		throw full ? new Problem("disk-full", { folder }, { cause: error }) : error;
	}
}

/** Of a folder that is not there yet nothing can be said. */
async function isFull(folder: string): Promise<boolean> {
	const space = await statfs(folder).catch(() => null);
	return space !== null && space.bavail * space.bsize < leastFree;
}
