import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, fillDatabase, hasPostgres, startCluster } from "../../../test/postgres.ts";
import type { Entry, Listing, PieceName, Source, Target } from "../volume.ts";
import type { PostgresPlace } from "./connection.ts";
import { openPostgresSource, openPostgresTarget } from "./postgres.ts";

const signal = new AbortController().signal;

async function listed(source: Source, frozen: boolean): Promise<Listing & { all: readonly Entry[] }> {
	const all: Entry[] = [];
	for await (const batch of source.list({ frozen, signal })) all.push(...batch);
	return {
		all,
		entries: all.length,
		bytes: all.reduce((sum, { size }) => sum + size, 0),
		async *batches() {
			for (let from = 0; from < all.length; from += 7) yield all.slice(from, from + 7);
		},
	};
}

async function fetched(source: Source, target: Target, names: readonly PieceName[]): Promise<number> {
	let bytes = 0;
	for await (const pieces of source.read(names, signal)) {
		bytes += pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
		await target.write(pieces);
	}
	return bytes;
}

/** One round; answers the listing, and how many bytes had to go over. */
async function round(source: Source, target: Target, frozen: boolean) {
	const listing = await listed(source, frozen);
	const names: PieceName[] = [];
	for await (const batch of target.lacking(listing, signal)) names.push(...batch);
	const bytes = await fetched(source, target, names);
	expect(await target.settle(listing, signal)).toEqual([]);
	return { listing, bytes };
}

describe.skipIf(!hasPostgres)("A database that moves", () => {
	let cluster: Cluster;
	let folder: string;
	let number = 0;
	beforeAll(async () => {
		cluster = await startCluster();
	});
	afterAll(() => cluster?.stop());
	const cleanUp: (() => Promise<void>)[] = [];
	afterEach(async () => {
		for (const one of cleanUp.splice(0).reverse()) await one();
	});

	async function pair(rights?: string) {
		folder = mkdtempSync(join(tmpdir(), "fediversity-move-"));
		const here = folder;
		number++;
		const from = await cluster.place(`old${number}`, rights);
		const to = await cluster.place(`new${number}`, "CREATEDB");
		const source = openPostgresSource(from, { scratch: join(here, "source") });
		const target = openPostgresTarget(to, { scratch: join(here, "target") });
		cleanUp.push(async () => {
			await source.forget();
			await source.close();
			await target.discard();
			await target.close();
			rmSync(here, { recursive: true, force: true });
		});
		return { from, to, source, target };
	}

	const rows = (place: PostgresPlace, sql: string) => cluster.sql(place.database, sql, place.user);

	test("goes with all its rows, and then with what has changed", async () => {
		const { from, to, source, target } = await pair();
		await fillDatabase(from, 8);
		const first = await round(source, target, false);
		expect(first.listing.all.map(({ path }) => path)).toEqual(["base", "tables", "sequences"]);
		expect(first.listing.all[0]?.meta).toMatchObject({ mode: "live" });
		await rows(from, "UPDATE posts SET likes = likes + 1 WHERE id % 1000 = 0; DELETE FROM accounts WHERE id = 3");
		await rows(from, "INSERT INTO accounts (name) VALUES ('late')");
		const second = await round(source, target, true);
		expect(second.bytes).toBeLessThan(first.bytes / 20);
		await target.swap(signal);
		const sum = "SELECT count(*), sum(likes), sum(hashtextextended(posts::text, 0)) FROM posts";
		expect(await rows(to, sum)).toEqual(await rows(from, sum));
		expect(await rows(to, "SELECT * FROM accounts ORDER BY id")).toEqual(
			await rows(from, "SELECT * FROM accounts ORDER BY id"),
		);
		expect(await rows(to, "SELECT last_value, is_called FROM accounts_id_seq")).toEqual(
			await rows(from, "SELECT last_value, is_called FROM accounts_id_seq"),
		);
	});
});
