import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, fillDatabase, hasPostgres, startCluster } from "../../../test/postgres.ts";
import { bring, everything, listed, type Move, round, startMove } from "../../../test/postgres-move.ts";

const signal = new AbortController().signal;
const mover = join(import.meta.dirname, "../../../test/postgres-mover.ts");

describe.skipIf(!hasPostgres)("A move that is cut off", { timeout: 300_000 }, () => {
	let cluster: Cluster;
	beforeAll(async () => {
		cluster = await startCluster();
	});
	afterAll(() => cluster?.stop());

	/** Moves in a process of its own, and kills that some milliseconds after it has said the word for the n-th time. */
	async function killedAt(move: Move, word: string, count: number, milliseconds: number): Promise<void> {
		const child = spawn(process.execPath, [mover, move.folder, JSON.stringify(move.from), JSON.stringify(move.to)], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const ended = once(child, "exit");
		let left = count;
		for await (const line of createInterface({ input: child.stdout })) {
			if (line !== word || --left > 0) continue;
			await new Promise((resolve) => setTimeout(resolve, milliseconds));
			child.kill("SIGKILL");
			break;
		}
		await ended;
		expect(child.signalCode).toBe("SIGKILL");
	}

	/** Changes in many transactions, so that applying them takes a while and is done in several steps. */
	const change = (move: Move) =>
		cluster.sql(
			move.from.database,
			`DO $$ BEGIN FOR i IN 1..60 LOOP
				UPDATE posts SET likes = likes + 1 WHERE id % 60 = i - 1;
				INSERT INTO unkeyed VALUES (i); UPDATE unkeyed SET n = n + 1 WHERE n = i;
				INSERT INTO accounts (name) VALUES (gen_random_uuid()::text); COMMIT;
			END LOOP; END $$`,
			move.from.user,
		);

	test("by kill -9 goes on from where it was, with nothing twice and nothing left out", async () => {
		const move = await startMove(cluster);
		await fillDatabase(move.from, 8);
		await cluster.sql(move.from.database, "CREATE TABLE unkeyed (n int)", move.from.user);
		const moments = [
			["listing", 1, 300],
			["bringing", 1, 5],
			["settling", 1, 200],
			["listing", 2, 20],
			["settling", 2, 100],
			["settling", 1, 400],
			["settling", 2, 250],
			["listing", 2, 60],
		] as const;
		for (const [word, count, milliseconds] of moments) {
			await change(move);
			await killedAt(move, word, count, milliseconds);
		}
		await change(move);
		await round(move, true);
		await move.target.swap(signal);
		await move.source.forget();
		expect(await everything(cluster, move.to.database)).toBe(await everything(cluster, move.from.database));
		await move.end();
	});

	test("before the slot has let go of what was written down has it once", async () => {
		const move = await startMove(cluster);
		const there = (sql: string) => cluster.sql(move.from.database, sql, move.from.user);
		await there("CREATE TABLE unkeyed (n int)");
		await round(move, false);
		const [{ slot } = {}] = await cluster.sql(move.from.database, "SELECT slot_name AS slot FROM pg_replication_slots");
		await there("INSERT INTO unkeyed VALUES (1)");
		await cluster.sql(move.from.database, `SELECT pg_copy_logical_replication_slot('${slot}', 'as_it_was')`);
		await round(move, false);
		await cluster.sql(
			move.from.database,
			`SELECT pg_drop_replication_slot('${slot}'); SELECT pg_copy_logical_replication_slot('as_it_was', '${slot}');
			SELECT pg_drop_replication_slot('as_it_was')`,
		);
		await there("INSERT INTO unkeyed VALUES (2)");
		await round(move, true);
		await move.target.swap(signal);
		expect(await cluster.sql(move.to.database, "SELECT n FROM unkeyed ORDER BY n")).toEqual([{ n: "1" }, { n: "2" }]);
		await move.end();
	});

	test("from its database fails, and then goes on", async () => {
		const move = await startMove(cluster);
		await fillDatabase(move.from, 8);
		await cluster.sql(move.from.database, "CREATE TABLE unkeyed (n int)", move.from.user);
		const [first] = await Promise.allSettled([listed(move.source, false), cluster.crash()]);
		expect(first.status).toBe("rejected");
		await round(move, false);
		await change(move);
		const listing = await listed(move.source, false);
		await bring(move.source, move.target, listing);
		const [second] = await Promise.allSettled([move.target.settle(listing, signal), cluster.crash()]);
		expect(second.status).toBe("rejected");
		await change(move);
		await round(move, true);
		await move.target.swap(signal);
		await move.source.forget();
		expect(await everything(cluster, move.to.database)).toBe(await everything(cluster, move.from.database));
		await move.end();
	});

	test("by its signal ends what it has begun", async () => {
		const move = await startMove(cluster);
		await fillDatabase(move.from, 4);
		const stop = new AbortController();
		const listing = (async () => {
			for await (const _ of move.source.list({ frozen: false, signal: stop.signal }));
		})();
		stop.abort(new Error("Stopped"));
		await expect(listing).rejects.toThrow("Stopped");
		await round(move, true);
		await move.end();
	});
});
