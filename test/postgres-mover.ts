import { join } from "node:path";
import { openPostgresSource, openPostgresTarget } from "../node/volumes/postgres/postgres.ts";
import { bring, listed } from "./postgres-move.ts";

/** Moves a database round after round until it is killed, and says how far it is. Arguments: a folder and the two places. */
const [, , folder = "", from = "", to = ""] = process.argv;
const source = openPostgresSource(JSON.parse(from), { scratch: join(folder, "source") });
const target = openPostgresTarget(JSON.parse(to), { scratch: join(folder, "target") });
for (;;) {
	console.log("listing");
	const listing = await listed(source, false);
	console.log("bringing");
	await bring(source, target, listing);
	console.log("settling");
	await target.settle(listing, new AbortController().signal);
}
