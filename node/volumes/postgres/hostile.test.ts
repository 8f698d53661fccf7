import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, hasPostgres, startCluster } from "../../../test/postgres.ts";
import { bring, type Listed, listed, listingOf, type Move, startMove } from "../../../test/postgres-move.ts";
import { hashOf } from "../piece.ts";
import type { Entry } from "../volume.ts";

const signal = new AbortController().signal;

/** A peer that speaks the format perfectly and lies about what is in it. */
describe.skipIf(!hasPostgres)("A hostile database", { timeout: 120_000 }, () => {
	let cluster: Cluster;
	beforeAll(async () => {
		cluster = await startCluster();
	});
	afterAll(() => cluster?.stop());

	const small = (path: string, text: string): Entry => {
		const bytes = Buffer.from(text);
		return { path, type: "dump", size: bytes.length, pieces: [hashOf(bytes)] };
	};

	/** Settles a listing with one of its entries replaced, and answers why that was refused. */
	async function refused(move: Move, listing: Listed, replaced: ReadonlyMap<string, Buffer>): Promise<string> {
		const paths = [...new Set([...listing.all.map(({ path }) => path), ...replaced.keys()])];
		const all = paths.map((path) => {
			const bytes = replaced.get(path);
			const entry = listing.all.find((one) => one.path === path);
			return bytes
				? {
						...entry,
						...small(path, bytes.toString("latin1")),
						pieces: bytes.length > 0 ? [hashOf(bytes)] : [],
						size: bytes.length,
					}
				: entry;
		}) as Entry[];
		const changed = listingOf(all);
		try {
			await bring(move.source, move.target, changed);
			await move.target.write([...replaced].map(([path, bytes]) => ({ path, index: 0, bytes })));
			const lacking = await move.target.settle(changed, signal);
			return lacking.length > 0 ? "lacking" : "taken";
		} catch (error) {
			return (error as Error).message;
		}
	}

	async function withMove(sql: string, work: (move: Move, listing: Listed) => Promise<void>, admin = false) {
		const move = await startMove(cluster);
		try {
			await cluster.sql(move.from.database, sql, admin ? "admin" : move.from.user);
			if (admin) {
				await move.source.close();
				Object.assign(move.from, { user: "admin" });
				await move.reopen();
			}
			await work(move, await listed(move.source, false));
		} finally {
			await move.end();
		}
	}

	test.each([
		[
			"an event trigger",
			"CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
			"EVENT TRIGGER",
		],
		["an extension that leads outside", "CREATE EXTENSION dblink", "extension dblink"],
		[
			"a foreign table",
			"CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE f (a text) SERVER s OPTIONS (filename '/etc/passwd')",
			"file_fdw",
		],
		[
			"a function in machine code",
			"CREATE FUNCTION c() RETURNS int LANGUAGE c AS '$libdir/citext', 'citext_hash'",
			"permission denied for language c",
		],
		[
			"a view that reads files",
			"CREATE MATERIALIZED VIEW v AS SELECT pg_read_file('/etc/hostname') AS a",
			"permission denied for function pg_read_file",
		],
		[
			"a rule for rows that runs programs",
			"CREATE TABLE a (a int); CREATE FUNCTION x(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN COPY public.a TO PROGRAM 'true'; RETURN true; END $$; CREATE TABLE t (a int CHECK (x(a))); INSERT INTO t VALUES (1)",
			"pg_execute_server_program",
		],
	])("with %s is not taken over", async (_what, sql, why) => {
		await withMove(sql, async (move, listing) => expect(await refused(move, listing, new Map())).toContain(why), true);
	});

	test.each([
		["CREATE VIEW public.v AS\n SELECT 1 AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "DROP DATABASE postgres; --"],
		["COPY public.t (a) FROM stdin;", "COPY public.t FROM PROGRAM 'a"],
		["COPY public.t (a) FROM stdin;", "\\! id"],
		["SET client_encoding = 'UTF8';", "ALTER ROLE x SUPERUSER;"],
	])("cannot say “%s” and mean “%s”", async (said, meant) => {
		await withMove(
			"CREATE VIEW v AS SELECT 1 AS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; CREATE TABLE t (a int)",
			async (move, listing) => {
				const dump = readFileSync(join(move.folder, "source", "base"));
				const at = dump.indexOf(said);
				expect(at).toBeGreaterThan(0);
				dump.write(meant.padEnd(said.length).slice(0, said.length), at, "latin1");
				expect(await refused(move, listing, new Map([["base", dump]]))).toContain("cannot be moved");
			},
		);
	});

	test("cannot bring a dump of another form, nor one that is cut off", async () => {
		await withMove("CREATE TABLE t (a int)", async (move, listing) => {
			const dump = readFileSync(join(move.folder, "source", "base"));
			for (const bytes of [
				Buffer.from("\\! id\n"),
				dump.subarray(0, 300),
				Buffer.concat([Buffer.from("PGDMP\x01\x0f\x00\x04\x08\x03")]),
			])
				expect(await refused(move, listing, new Map([["base", bytes]]))).toContain("cannot be moved");
		});
	});

	test("is not even fetched when it says that its server is newer than the one here", async () => {
		await withMove("CREATE TABLE t (a int)", async ({ target }, { all }) => {
			const lacking = (version: string) => {
				const said = all.map((one) => (one.path === "base" ? { ...one, meta: { ...one.meta, version } } : one));
				return target.lacking(listingOf(said), signal)[Symbol.asyncIterator]().next();
			};
			await expect(lacking("999.1 (Debian)")).rejects.toThrow("comes from PostgreSQL 999");
			expect((await lacking("9.6")).done).toBe(false);
		});
	});

	test("cannot change what is not its own by its changes", async () => {
		await withMove(
			"CREATE TABLE t (a int PRIMARY KEY, b text); CREATE VIEW v AS SELECT * FROM t; INSERT INTO t VALUES (1, 'x')",
			async (move, listing) => {
				const table = (schema: string, name: string, columns = ["a", "b"], key: number[] | null = [0]) =>
					JSON.stringify(["table", 1, schema, name, columns, key]);
				const commit = '["commit","0/1"]';
				const lies: [string[], string][] = [
					[[table("pg_catalog", "pg_authid"), '["insert",1,["1","x"]]', commit], "it is not a table"],
					[
						[table("fediversity_moving", "repairs"), '["insert",1,["1","DROP DATABASE x"]]', commit],
						"it is not a table",
					],
					[[table("public", 't" ; DROP TABLE t; --'), '["insert",1,["1","x"]]', commit], "no such table"],
					[[table("public", "v"), '["insert",1,["1","x"]]', commit], "no such table"],
					[[table("public", "t", ["a", 'b") VALUES (1); --'])], "other columns"],
					[[table("public", "t", ["a"])], "other columns"],
					[[table("public", "t", ["a", "b"], [7])], "key"],
					[['["insert",1,["1","x"]]', commit], "no table"],
					[[table("public", "t"), '["insert",1,["1"]]', commit], "another length"],
					[[table("public", "t"), '["insert",1,["1",{"a":1}]]', commit], "not written as agreed"],
					[[table("public", "t"), '["sql","DROP TABLE t"]', commit], "not written as agreed"],
					[[table("public", "t"), '["insert",1,["2","x"]]'], "does not end"],
					[[table("public", "t"), '["delete",1,["9"]]', commit], "0 rows"],
					[[table("public", "t"), "DROP TABLE t"], "not a JSON array"],
				];
				for (const [lines, why] of lies)
					expect(
						await refused(move, listing, new Map([["changes/00000001", Buffer.from(lines.join("\n"))]])),
						lines[0],
					).toContain(why);
				const sequence = new Map([["sequences", Buffer.from('["public","t","5",true]\n')]]);
				expect(await refused(move, listing, sequence)).toContain("no such sequence");
				expect(await refused(move, listing, new Map([["elsewhere", Buffer.from("x")]]))).toContain("does not belong");
				expect(await refused(move, listing, new Map([["changes/00000002", Buffer.from("x")]]))).toContain(
					"does not belong",
				);
				expect(await move.target.settle(listing, signal)).toEqual([]);
			},
		);
	});

	test("cannot say that there are other rows than it brings", async () => {
		await withMove("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)", async (move, listing) => {
			const line = readFileSync(join(move.folder, "source", "tables"), "utf8");
			const tables = (text: string) => new Map([["tables", Buffer.from(text)]]);
			expect(await refused(move, listing, tables(line.replace('"2"', '"3"')))).toContain("2 of 3 rows");
			expect(await refused(move, listing, tables(line.replace(/"-?\d+"\]/, '"1"]')))).toContain("not what they were");
			expect(await refused(move, listing, tables(" \n".slice(2)))).toContain("nothing was said");
		});
	});

	test("cannot say that rows have become what its changes do not make of them", async () => {
		await withMove(
			"CREATE TABLE t (a int PRIMARY KEY, b text); CREATE TABLE u (a int); INSERT INTO t VALUES (1, 'x')",
			async (move) => {
				await cluster.sql(move.from.database, "UPDATE t SET b = 'y'; INSERT INTO u VALUES (1)", move.from.user);
				const listing = await listed(move.source, true);
				const checks = readFileSync(join(move.folder, "source", "checks"), "utf8");
				expect(checks.trim().split("\n")).toHaveLength(2);
				for (const lie of [checks.replace(/"-?\d{5,}"\]/, '"1"]'), checks.replace('"1","', '"2","')])
					expect(await refused(move, listing, new Map([["checks", Buffer.from(lie)]]))).toContain(
						"not the same on both sides",
					);
				const other = '["public","v",false,"1","1"]';
				expect(await refused(move, listing, new Map([["checks", Buffer.from(other)]]))).toContain(
					"nothing in it has changed",
				);
				await bring(move.source, move.target, listing);
				expect(await move.target.settle(listing, signal)).toEqual([]);
			},
		);
	});

	test("is not restored by a role that may do too much", async () => {
		const move = await startMove(cluster);
		await cluster.sql("postgres", `ALTER ROLE "${move.to.user}" SUPERUSER`);
		const listing = await listed(move.source, false);
		expect(await refused(move, listing, new Map())).toContain("may do too much");
		await cluster.sql("postgres", `ALTER ROLE "${move.to.user}" NOSUPERUSER`);
		await move.end();
	});
});
