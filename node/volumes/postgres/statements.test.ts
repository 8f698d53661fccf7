import { describe, expect, test } from "vitest";
import type { ArchiveEntry } from "./archive.ts";
import { judged, statementsIn } from "./statements.ts";

const entry = (more: Partial<ArchiveEntry>): ArchiveEntry => ({
	...{ id: 7, kind: "TABLE", tag: "t", schema: "public", definition: "", copy: "", accessMethod: "" },
	...more,
});

test.each([
	["SELECT 1; SELECT 2;\n", ["SELECT 1", "SELECT 2"]],
	["SELECT ';', \";\", E'\\';', $$;$$, $a$;$$;$a$ -- ;\n; x", [`SELECT ';', ";", E'\\';', $$;$$, $a$;$$;$a$`, "x"]],
	["/* a /* ; */ ; */ SELECT (1; 2); 'it''s;'", ["SELECT (1; 2)", "'it''s;'"]],
	["SELECT a$b$; DROP $b$;", ["SELECT a$b$", "DROP $b$;"].slice(0, 1)],
])("%s is cut into statements as the server would", (sql, statements) => {
	if (sql.includes("a$b$")) expect(() => statementsIn(sql)).toThrow("does not end");
	else expect(statementsIn(sql)).toEqual(statements);
});

describe("Restored is", () => {
	test.each([
		["CREATE TABLE public.t (\n    a integer\n);\nALTER TABLE ONLY public.t ALTER COLUMN a SET STORAGE PLAIN;\n"],
		["CREATE UNIQUE INDEX t_a ON public.t USING btree (a);\n"],
		["SELECT pg_catalog.setval('public.t_id_seq', 1, false);\n"],
		['CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;\n'],
		[
			"CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\n UPDATE t SET a = 2;\nEND;\n",
		],
		["CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE x; END $$;"],
	])("%s", (definition) => {
		expect(judged([entry({ definition })])).toEqual([7]);
	});

	test("the copying of rows, also into a table without columns", () => {
		for (const copy of ['COPY public."T ""x" (a, "b c") FROM stdin;\n', "COPY public.t  FROM stdin;\n"])
			expect(judged([entry({ kind: "TABLE DATA", copy })])).toEqual([7]);
	});
});

test("What belongs to the old place is left out", () => {
	const kinds = ["ACL", "DATABASE", "PUBLICATION", "DEFAULT ACL"];
	expect(judged(kinds.map((kind) => entry({ kind, definition: "GRANT ALL ON t TO x" })))).toEqual([]);
	expect(
		judged([entry({ kind: "SCHEMA", tag: "public" }), entry({ kind: "COMMENT", tag: "EXTENSION citext" })]),
	).toEqual([]);
});

describe("Refused is", () => {
	test.each([
		["DROP DATABASE live;"],
		["CREATE TABLE t (); ALTER ROLE CURRENT_USER PASSWORD 'x';"],
		["CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();"],
		["COPY t FROM PROGRAM 'id';"],
		["DO $$ BEGIN END $$;"],
		["\\! id"],
		["CREATE EXTENSION IF NOT EXISTS dblink WITH SCHEMA public;"],
		["CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public VERSION '1' CASCADE;"],
		["SELECT pg_catalog.setval('t', f(), true);"],
		["SELECT pg_read_file('/etc/passwd');"],
		["CREATE SERVER s FOREIGN DATA WRAPPER w;"],
		["CREATE LANGUAGE plpython3u;"],
		["CREATE TABLE t (a text DEFAULT E'\\''); DROP DATABASE live; --');"],
		["CREATE FUNCTION f(begin int) RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP DATABASE live;"],
		[
			"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS case; END; DROP DATABASE live; CREATE VIEW v AS SELECT 1 AS end;",
		],
		["CREATE VIEW v AS SELECT 1); DROP DATABASE live; ("],
		["CREATE VIEW v AS SELECT 'unended"],
	])("%s", (definition) => {
		expect(() => judged([entry({ definition })])).toThrow("cannot be moved");
	});

	test.each([
		"EVENT TRIGGER",
		"PROCEDURAL LANGUAGE",
		"FOREIGN TABLE",
		"SERVER",
		"SUBSCRIPTION",
		"BLOB",
		"SHELL TYPE",
		"",
	])("the kind “%s”", (kind) => {
		expect(() => judged([entry({ kind })])).toThrow("is not taken over");
	});

	test.each([
		[{ kind: "ENCODING", definition: "SET client_encoding = 'UTF8'; DROP DATABASE live;\n" }],
		[{ kind: "SEARCHPATH", definition: "SELECT pg_catalog.set_config('search_path', 'evil', false);\n" }],
		[{ kind: "TABLE DATA", copy: "COPY public.t FROM PROGRAM 'id';\n" }],
		[{ kind: "TABLE DATA", copy: "DROP DATABASE live;\n" }],
		[{ kind: "TABLE", copy: "COPY public.t FROM stdin;\n" }],
		[{ kind: "SCHEMA", tag: "fediversity_moving" }],
		[{ accessMethod: "evil" }],
	])("%o", (more) => {
		expect(() => judged([entry(more)])).toThrow("cannot be moved");
	});
});
