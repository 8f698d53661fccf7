import { rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { companions } from "../../store/copy.ts";
import type { Donor } from "../directory/donors.ts";

/** What a database is called in a listing and in the folders of a move, wherever it comes from and goes to. */
export const database = "database";

/** The one file of a database as something to take pieces from. */
export function donorOf(file: string): Donor {
	const name = Buffer.from(basename(file)).toString("latin1");
	return { root: dirname(file), only: (raw) => raw === name };
}

/** What SQLite keeps beside a database must never meet another one of that name: it would be applied to it. */
export function removeCompanions(file: string): void {
	for (const suffix of companions) rmSync(file + suffix, { force: true });
}
