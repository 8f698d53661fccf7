/** The thread in which copy.ts has its work done. */
import { parentPort, workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";

export type CopyOrder =
	| { readonly what: "copy"; readonly from: string; readonly to: string }
	| { readonly what: "check"; readonly file: string };

const pagesPerTurn = 2048;
const mostFaults = 10;

async function copy(from: string, to: string): Promise<string[]> {
	// Not read-only: what a service that was killed has left half done must be put right first.
	const sqlite = new Sqlite(from, { fileMustExist: true, timeout: 20_000 });
	try {
		// A snapshot that lasts: without it the copy would begin anew whenever somebody writes.
		sqlite.exec("BEGIN");
		sqlite.prepare("SELECT count(*) FROM sqlite_schema").get();
		await sqlite.backup(to, { progress: () => pagesPerTurn });
		sqlite.exec("COMMIT");
	} finally {
		sqlite.close();
	}
	return [];
}

function check(file: string): string[] {
	try {
		const sqlite = new Sqlite(file, { readonly: true, fileMustExist: true });
		try {
			// What another provider sent shall not run anything while it is looked at.
			sqlite.pragma("trusted_schema = OFF");
			sqlite.pragma("cell_size_check = ON");
			const found = sqlite.pragma(`integrity_check(${mostFaults})`) as { integrity_check: string }[];
			return found.map((one) => one.integrity_check).filter((fault) => fault !== "ok");
		} finally {
			sqlite.close();
		}
	} catch (error) {
		if (error instanceof Sqlite.SqliteError) return [error.message];
		throw error;
	}
}

const order = workerData as CopyOrder;
parentPort?.postMessage(order.what === "copy" ? await copy(order.from, order.to) : check(order.file));
