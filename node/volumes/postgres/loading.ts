import { Problem } from "#protocol/problem.ts";
import { sumOf } from "./checks.ts";
import { name, type Session } from "./connection.ts";
import { identify } from "./live.ts";
import { tablesOf } from "./schema.ts";

/** Compares what was restored with what the tables held at the old place, and gives rows back what they were found by there. */
export async function compareTables(session: Session, lines: AsyncIterable<readonly unknown[]>): Promise<void> {
	const here = new Map((await tablesOf(session)).map((one) => [name(one.schema, one.table), one]));
	for await (const [schema, table, identity, rows, hash] of lines) {
		const quoted = name(String(schema), String(table));
		const one = here.get(quoted);
		const unfit = (reason: string) => new Problem("volume-unfit", { path: quoted, reason });
		if (!one) throw unfit("there is no such table in the base");
		here.delete(quoted);
		const sum = await sumOf(session, one.schema, one.table);
		if (sum.rows !== rows) throw unfit(`${sum.rows} of ${String(rows)} rows were restored`);
		if (sum.hash !== hash) throw unfit("its rows are not what they were");
		if (one.identity === "f" && identity !== "f") await session.run(identify(one.schema, one.table, String(identity)));
	}
	for (const quoted of here.keys())
		throw new Problem("volume-unfit", { path: quoted, reason: "nothing was said of what this table holds" });
}
