import { closeSync, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Cluster, fillDatabase, hasPostgres, startCluster } from "../../../test/postgres.ts";
import { everything, type Listed, listed, type Move, startMove } from "../../../test/postgres-move.ts";
import { type PieceName, pieceSize } from "../volume.ts";
import { namesBeside } from "./beside.ts";

const signal = new AbortController().signal;

describe.skipIf(!hasPostgres)("A dump that is coming", { timeout: 120_000 }, () => {
	let cluster: Cluster;
	let move: Move;
	let listing: Listed;
	let names: PieceName[];
	beforeAll(async () => {
		cluster = await startCluster();
	});
	afterAll(() => cluster?.stop());
	beforeEach(async () => {
		move = await startMove(cluster);
		await fillDatabase(move.from, 8);
		listing = await listed(move.source, false);
		names = [];
		for await (const some of move.target.lacking(listing, signal)) names.push(...some);
		expect(names.filter(({ path }) => path === "base").length).toBeGreaterThan(20);
	});
	afterEach(() => move.end());

	const bring = async (wanted: readonly PieceName[]) => {
		for await (const pieces of move.source.read(wanted, signal)) await move.target.write(pieces);
	};
	const isMissing = ({ path, index }: PieceName) => path === "base" && index === 15;
	/** Rows are there that stand in the dump before the missing piece. */
	const untilRowsAreThere = async () => {
		const count = () => cluster.sql(namesBeside(move.to).arriving, "SELECT count(*) AS rows FROM accounts");
		while (((await count().catch(() => []))[0]?.rows ?? "0") === "0")
			await new Promise((resolve) => setTimeout(resolve, 20));
	};
	const finish = async () => {
		expect(await move.target.settle(listing, signal)).toEqual([]);
		await move.target.swap(signal);
		await move.source.forget();
		expect(await everything(cluster, move.to.database)).toBe(await everything(cluster, move.from.database));
	};

	test("is restored as far as it has come", async () => {
		await bring(names.filter((name) => !isMissing(name)));
		await untilRowsAreThere();
		await bring(names.filter(isMissing));
		await finish();
	});

	test("is restored with nothing that was damaged on the disk before its turn", async () => {
		await bring(names.filter((name) => !isMissing(name)));
		await untilRowsAreThere();
		const shelf = join(move.folder, "target", "shelf");
		const [base = ""] = readdirSync(shelf).filter((file) => statSync(join(shelf, file)).size > 4_000_000);
		const file = openSync(join(shelf, base), "r+");
		writeSync(file, "damage", 18 * pieceSize + 5000);
		closeSync(file);
		await bring(names.filter(isMissing));
		const lacking = await move.target.settle(listing, signal);
		expect(lacking).toEqual([{ path: "base", index: 18 }]);
		await bring(lacking);
		await finish();
	});

	test("is restored anew when it comes to another process, or another dump comes instead", async () => {
		await bring(names.filter((name) => !isMissing(name)));
		await untilRowsAreThere();
		await move.reopen();
		await cluster.sql(move.from.database, "ALTER TABLE accounts ADD COLUMN bio text", move.from.user);
		listing = await listed(move.source, false);
		names = [];
		for await (const some of move.target.lacking(listing, signal)) names.push(...some);
		await bring(names);
		await finish();
	});

	test("leaves nothing behind when it is called off", async () => {
		await bring(names.filter((name) => !isMissing(name)));
		await untilRowsAreThere();
		await move.target.discard();
		expect(await cluster.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '%arriving'")).toEqual([]);
		expect(readdirSync(move.folder)).toEqual(["source"]);
	});
});
