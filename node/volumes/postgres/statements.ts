import { Problem } from "#protocol/problem.ts";
import type { ArchiveEntry } from "./archive.ts";
import { ownSchema } from "./schema.ts";

/** Kinds of things that a restored database may have. */
const kinds = new Set([
	...["SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "OPERATOR CLASS"],
	...["OPERATOR FAMILY", "COLLATION", "CONVERSION", "CAST", "TABLE", "TABLE ATTACH", "SEQUENCE", "SEQUENCE OWNED BY"],
	...["SEQUENCE SET", "DEFAULT", "TABLE DATA", "VIEW", "MATERIALIZED VIEW", "MATERIALIZED VIEW DATA", "CONSTRAINT"],
	...["CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "INDEX ATTACH", "STATISTICS", "TRIGGER", "RULE", "POLICY"],
	...["ROW SECURITY", "COMMENT", "TEXT SEARCH PARSER", "TEXT SEARCH DICTIONARY", "TEXT SEARCH TEMPLATE"],
	...["TEXT SEARCH CONFIGURATION"],
]);

/** Left out: what belongs to the old place, and what only an administrator may do. */
const leftOut = new Set([
	...["ACL", "DEFAULT ACL", "DATABASE", "DATABASE PROPERTIES", "SECURITY LABEL"],
	...["PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA"],
]);

/** Extensions that an owner may create, and that give no way out of the database. */
export const extensions: ReadonlySet<string> = new Set([
	...["plpgsql", "citext", "hstore", "pg_trgm", "pgcrypto", "uuid-ossp", "unaccent", "btree_gin", "btree_gist"],
	...["intarray", "ltree", "cube", "fuzzystrmatch", "isn", "lo", "seg", "tablefunc", "dict_int", "earthdistance"],
	...["tsm_system_rows", "tsm_system_time"],
]);

/** Said by every dump, and run by pg_restore whatever is picked: these words and no others. */
const preludes: Readonly<Record<string, string>> = {
	ENCODING: "SET client_encoding = 'UTF8';\n",
	STDSTRINGS: "SET standard_conforming_strings = 'on';\n",
	SEARCHPATH: "SELECT pg_catalog.set_config('search_path', '', false);\n",
};

const identifier = String.raw`(?:"(?:[^"\0]|"")+"|[a-z_][a-z0-9_]*)`;
const qualified = String.raw`${identifier}(?:\.${identifier})?`;
const allowed: readonly RegExp[] = [
	/^CREATE (UNLOGGED )?TABLE /,
	/^CREATE (SCHEMA|TYPE|DOMAIN|FUNCTION|PROCEDURE|AGGREGATE|SEQUENCE|MATERIALIZED VIEW|STATISTICS|COLLATION) /,
	/^CREATE (OR REPLACE )?VIEW /,
	/^CREATE (UNIQUE )?INDEX /,
	/^CREATE (CONSTRAINT )?TRIGGER /,
	/^CREATE (RULE|POLICY|CAST|OPERATOR|TEXT SEARCH|CONVERSION|DEFAULT CONVERSION) /,
	/^ALTER (TABLE|SEQUENCE|INDEX|VIEW|MATERIALIZED VIEW|TYPE|DOMAIN|FUNCTION|PROCEDURE|STATISTICS|OPERATOR) /,
	/^ALTER TEXT SEARCH /,
	/^COMMENT ON /,
	/^REFRESH MATERIALIZED VIEW /,
	/^SELECT pg_catalog\.setval\('(?:[^'\\]|'')+', -?\d+, (true|false)\)$/,
];
const copying = new RegExp(String.raw`^COPY ${qualified} (?:\(${identifier}(?:, ${identifier})*\))? ?FROM stdin;\n$`);
const extending = new RegExp(`^CREATE EXTENSION IF NOT EXISTS (${identifier}) WITH SCHEMA ${identifier}$`);

const unfit = (reason: string) => new Problem("volume-unfit", { path: "base", reason });

/**
 * Judges a dump by each statement that pg_restore would run; throws `volume-unfit` for what is not known to be harmless in the
 * hands of an owner without further rights. Answers the ids of what is to be restored, in order.
 */
export function judged(entries: readonly ArchiveEntry[]): readonly number[] {
	for (const entry of entries) if (entry.kind in preludes) judgePrelude(entry);
	const taken = entries.filter((entry) => !(entry.kind in preludes) && !isLeftOut(entry));
	for (const entry of taken) judge(entry);
	return taken.map(({ id }) => id);
}

function judgePrelude({ kind, definition }: ArchiveEntry): void {
	if (definition !== preludes[kind]) throw unfit(`its ${kind.toLowerCase()} is not as expected`);
}

/** The schema public is there already; comments on what an administrator owns cannot be made. */
const isLeftOut = ({ kind, tag }: ArchiveEntry) =>
	leftOut.has(kind) ||
	(kind === "SCHEMA" && tag === "public") ||
	(kind === "COMMENT" && /^(EXTENSION|DATABASE|LANGUAGE|PROCEDURAL LANGUAGE) |^SCHEMA public$/.test(tag));

function judge(entry: ArchiveEntry): void {
	const { kind, tag, schema, definition, copy, accessMethod } = entry;
	const what = `${kind} ${tag}`.slice(0, 100);
	if (!kinds.has(kind)) throw unfit(`it has a ${what}, which is not taken over`);
	if (schema === ownSchema || (kind === "SCHEMA" && tag === ownSchema)) throw unfit(`its ${what} has a name of ours`);
	if (!["", "heap"].includes(accessMethod)) throw unfit(`its ${what} is stored in a way of its own`);
	if (copy !== "" && !(kind === "TABLE DATA" && copying.test(copy))) throw unfit(`its ${what} is not loaded as usual`);
	for (const statement of statementsIn(definition)) judgeStatement(statement, what);
}

function judgeStatement(statement: string, what: string): void {
	const extension = extending.exec(statement)?.[1]?.replaceAll('"', "");
	if (extension !== undefined) {
		if (!extensions.has(extension)) throw unfit(`it needs the extension ${extension}, which is not taken over`);
		return;
	}
	if (!allowed.some((form) => form.test(statement)))
		throw unfit(`its ${what} would run “${statement.slice(0, 60)}”, which is not taken over`);
}

/** Where strings, names in quotes and comments end is what decides where a statement ends (manual, 4.1 "Lexical Structure"). */
const tokens =
	/--[^\n]*|\/\*|"(?:[^"]|"")*"|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|[\s\S]/g;

/** Cuts SQL into statements as the server does, without comments and the space around. */
export function statementsIn(sql: string): readonly string[] {
	const cut = new Cutter();
	tokens.lastIndex = 0;
	for (let found = tokens.exec(sql); found; found = tokens.exec(sql)) {
		const [token] = found;
		if (token.startsWith("--")) continue;
		if (token === "/*") tokens.lastIndex = afterComment(sql, tokens.lastIndex);
		else if (token.length > 1 && token.startsWith("$")) {
			const end = sql.indexOf(token, tokens.lastIndex);
			if (end < 0) throw unfit("one of its statements does not end");
			tokens.lastIndex = end + token.length;
			cut.add(sql.slice(found.index, tokens.lastIndex));
		} else cut.add(token);
	}
	return cut.end();
}

/** Comments may have comments in them. */
function afterComment(sql: string, from: number): number {
	const marks = /\/\*|\*\//g;
	marks.lastIndex = from;
	for (let depth = 1; depth > 0; ) {
		const found = marks.exec(sql);
		if (!found) throw unfit("one of its comments does not end");
		depth += found[0] === "/*" ? 1 : -1;
	}
	return marks.lastIndex;
}

/** In a function's body of SQL stand queries and changes to rows; these words begin something else. */
const beyondRows =
	/^(ALTER|DROP|CREATE|GRANT|REVOKE|COPY|CALL|TRUNCATE|LOAD|REASSIGN|SECURITY|IMPORT|REFRESH|PREPARE|EXECUTE|VACUUM|CLUSTER)$/i;

class Cutter {
	readonly #statements: string[] = [];
	#text = "";
	#depth = 0;
	#isBody = false;

	add(token: string): void {
		if (token === "'" || token === '"') throw unfit("one of its strings does not end");
		if (token === "(") this.#depth++;
		if (token === ")") this.#depth--;
		// Where BEGIN ATOMIC …; END ends cannot be said without a parser: the rest counts as its body.
		if (this.#isBody && beyondRows.test(token)) throw unfit(`a function's body has ${token} in it`);
		if (
			/^ATOMIC$/i.test(token) &&
			this.#depth === 0 &&
			/^\s*CREATE (FUNCTION|PROCEDURE) [\s\S]*\sBEGIN\s+$/i.test(this.#text)
		)
			this.#isBody = true;
		if (token === ";" && this.#depth <= 0 && !this.#isBody) this.#cut();
		else this.#text += token;
	}

	end(): readonly string[] {
		if (this.#depth !== 0) throw unfit("one of its statements does not end");
		this.#cut();
		return this.#statements;
	}

	#cut(): void {
		const statement = this.#text.trim();
		if (statement !== "") this.#statements.push(statement);
		this.#text = "";
	}
}
