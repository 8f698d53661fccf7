import { Problem } from "#protocol/problem.ts";

const full = new Set(["ENOSPC", "EDQUOT"]);

/** Does work that writes into a folder, and says `disk-full` where the disk or a quota is the reason for its failure. */
export async function onDisk<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (error) {
		if (error instanceof Error && "code" in error && full.has(String(error.code)))
			throw new Problem("disk-full", { folder }, { cause: error });
		throw error;
	}
}
