import { literal, name, type Session } from "./connection.ts";
import { ownSchema } from "./schema.ts";

const repairs = `${ownSchema}.repairs`;

/**
 * Rows arrive as they became, not as they were said: triggers and rules have done their work at the old place. What is
 * switched off is written down in the same transaction, with the statement that puts it back. Tables are quoted names.
 */
export async function disarm(session: Session, tables: readonly string[]): Promise<void> {
	if (tables.length === 0) return;
	const list = `ARRAY[${tables.map(literal).join(", ")}]::regclass[]`;
	const found = await session.rows<{ off: string; on: string }>(`
		SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS off,
			format('ALTER TABLE ONLY %s ENABLE %s TRIGGER %I', tgrelid::regclass,
				CASE tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END, tgname) AS on
		FROM pg_trigger WHERE tgrelid = ANY (${list}) AND NOT tgisinternal AND tgenabled <> 'D'
		UNION ALL
		SELECT format('ALTER TABLE %s DISABLE RULE %I', ev_class::regclass, rulename),
			format('ALTER TABLE %s ENABLE %s RULE %I', ev_class::regclass,
				CASE ev_enabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END, rulename)
		FROM pg_rewrite WHERE ev_class = ANY (${list}) AND ev_type <> '1' AND ev_enabled <> 'D'
		UNION ALL
		${foreignKeys(
			list,
			"format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE INITIALLY DEFERRED', conrelid::regclass, conname)",
			`format('ALTER TABLE %s ALTER CONSTRAINT %I %s', conrelid::regclass, conname,
				CASE WHEN condeferrable THEN 'DEFERRABLE INITIALLY IMMEDIATE' ELSE 'NOT DEFERRABLE' END)`,
			"AND NOT condeferred",
		)}`);
	await change(session, found);
}

/** Takes the foreign keys of these tables away; `rearm` makes them again, which checks every row. */
export async function unbind(session: Session, tables: readonly string[]): Promise<void> {
	const list = `ARRAY[${tables.map(literal).join(", ")}]::regclass[]`;
	const found = await session.rows<{ off: string; on: string }>(
		foreignKeys(
			list,
			"format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)",
			"format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))",
			"",
		),
	);
	await change(session, found);
}

/** Foreign keys from or to these tables; of partitioned tables the one that those of the partitions come from. */
const foreignKeys = (list: string, off: string, on: string, where: string) => `
	SELECT ${off} AS off, ${on} AS on FROM pg_constraint
	WHERE contype = 'f' AND conparentid = 0 ${where} AND EXISTS (
		SELECT FROM unnest(${list}) AS t(id) LEFT JOIN LATERAL pg_partition_ancestors(t.id) AS a(id) ON true
		WHERE t.id IN (conrelid, confrelid) OR a.id IN (conrelid, confrelid))`;

async function change(session: Session, found: readonly { off: string; on: string }[]): Promise<void> {
	await session.transaction("BEGIN", async () => {
		for (const { off, on } of found) {
			await session.run(`INSERT INTO ${repairs} SELECT coalesce(max(id), 0) + 1, $1 FROM ${repairs}`, [on]);
			await session.run(off);
		}
	});
}

/** Puts everything back as it was. Nothing to do is fine. */
export async function rearm(session: Session): Promise<void> {
	await session.transaction("BEGIN", async () => {
		for (const { sql } of await session.rows<{ sql: string }>(`SELECT sql FROM ${repairs} ORDER BY id DESC`))
			await session.run(sql);
		await session.run(`DELETE FROM ${repairs}`);
	});
}

/** Tables of our own in the database beside: how far it is. */
export const ownTables = `
	CREATE SCHEMA ${name(ownSchema)};
	CREATE TABLE ${ownSchema}.base (digest text NOT NULL);
	CREATE TABLE ${ownSchema}.position (entry int NOT NULL, line bigint NOT NULL);
	INSERT INTO ${ownSchema}.position VALUES (0, 0);
	CREATE TABLE ${ownSchema}.repairs (id int PRIMARY KEY, sql text NOT NULL);
	CREATE TABLE ${ownSchema}.large (oid oid PRIMARY KEY, digest text NOT NULL);
	CREATE TABLE ${ownSchema}.settled (digest text NOT NULL)`;
