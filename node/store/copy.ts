import { Worker } from "node:worker_threads";
import type { CopyOrder } from "./copy-work.ts";

/** Suffixes of the files that SQLite keeps beside a database. */
export const companions = ["-wal", "-shm", "-journal"] as const;

/**
 * Copies a database that others may be writing to, as it was at one moment, page by page: what has not changed lies where
 * it lay in the copy before. `to` must not exist. On a thread of its own, since it may take long.
 */
export async function copyDatabase(from: string, to: string, signal: AbortSignal): Promise<void> {
	await work({ what: "copy", from, to }, signal);
}

/** What SQLite finds wrong with a database, in its own words; none: it is sound. Others must not be using the file. */
export async function faultsOf(file: string, signal: AbortSignal): Promise<readonly string[]> {
	return work({ what: "check", file }, signal);
}

async function work(order: CopyOrder, signal: AbortSignal): Promise<readonly string[]> {
	signal.throwIfAborted();
	const worker = new Worker(new URL("./copy-work.ts", import.meta.url), { workerData: order, execArgv: [] });
	const stop = () => void worker.terminate();
	signal.addEventListener("abort", stop, { once: true });
	try {
		return await new Promise<readonly string[]>((resolve, reject) => {
			worker.once("message", resolve);
			worker.once("error", reject);
			worker.once("exit", () => reject(signal.reason ?? new Error("The work on a database ended without an answer")));
		});
	} finally {
		signal.removeEventListener("abort", stop);
		await worker.terminate();
	}
}
