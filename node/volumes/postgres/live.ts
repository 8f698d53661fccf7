import { inSession, literal, name, openSession, type PostgresPlace, type Session, sqlState } from "./connection.ts";
import { type Decoded, Decoder } from "./decoding.ts";
import { tablesOf } from "./schema.ts";

/** Why this database has to be dumped in each round; undefined: its changes can be followed. */
export async function obstacle(session: Session): Promise<string | undefined> {
	const found = await session.row<Record<string, string>>(`
		SELECT current_setting('wal_level') AS wal, current_setting('server_version_num')::int < 140000 AS old,
			getdatabaseencoding() AS encoding,
			(SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may,
			(SELECT count(*) FROM pg_replication_slots) >= current_setting('max_replication_slots')::int AS full,
			EXISTS (SELECT FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r') AS unlogged,
			EXISTS (SELECT FROM pg_extension WHERE extconfig IS NOT NULL AND oid >= 16384) AS configured,
			EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p') AND NOT pg_has_role(relowner, 'USAGE')) AS foreign`);
	if (found["wal"] !== "logical") return "wal_level is not logical";
	if (found["may"] !== "t") return "the role may not replicate";
	if (found["old"] === "t") return "the server is older than PostgreSQL 14";
	if (found["encoding"] !== "UTF8") return "the database is not in UTF-8";
	if (found["full"] === "t") return "all replication slots are taken";
	if (found["unlogged"] === "t") return "there are unlogged tables";
	if (found["configured"] === "t") return "an extension keeps settings in tables";
	if (found["foreign"] === "t") return "some tables belong to somebody else";
	return undefined;
}

type Identities = Record<string, readonly [schema: string, table: string, identity: string]>;

/**
 * Makes changes of all tables visible to the slot: a publication, and for tables without a key the whole row as their
 * identity. What that was before is kept as the publication's comment, in the same transaction, so it can always be put back.
 */
export async function publish(session: Session, slot: string): Promise<void> {
	await session.transaction("BEGIN", async () => {
		// A table that somebody holds for long shall not make others wait behind us.
		await session.run("SET LOCAL lock_timeout = '3s'");
		const before = await identitiesBefore(session, slot);
		const tables = await tablesOf(session);
		for (const { schema, table, identity } of tables.filter(({ found }) => found !== "true")) {
			before[name(schema, table)] = [schema, table, identity];
			await session.run(`ALTER TABLE ONLY ${name(schema, table)} REPLICA IDENTITY FULL`);
		}
		await session.run(`DROP PUBLICATION IF EXISTS ${name(slot)}`);
		const list = tables.map(({ schema, table }) => `ONLY ${name(schema, table)}`).join(", ");
		await session.run(`CREATE PUBLICATION ${name(slot)}${list && ` FOR TABLE ${list}`}`);
		await session.run(`COMMENT ON PUBLICATION ${name(slot)} IS ${literal(JSON.stringify(before))}`);
	});
}

/** What `publish` has changed, by table: the identities as they were before. */
export async function identitiesBefore(session: Session, slot: string): Promise<Identities> {
	const [found] = await session.rows<{ comment: string | null }>(
		"SELECT obj_description(oid, 'pg_publication') AS comment FROM pg_publication WHERE pubname = $1",
		[slot],
	);
	return found?.comment ? (JSON.parse(found.comment) as Identities) : {};
}

/** Takes everything back that `publish` and `openSlot` have done. Twice is fine. */
export async function unpublish(place: PostgresPlace, slot: string, signal: AbortSignal): Promise<void> {
	await inSession(place, signal, async (session) => {
		await dropSlot(session, slot);
		await session.transaction("BEGIN", async () => {
			const before = Object.values(await identitiesBefore(session, slot));
			const now = new Map((await tablesOf(session)).map((one) => [name(one.schema, one.table), one.identity]));
			for (const [schema, table, identity] of before)
				if (now.get(name(schema, table)) === "f") await session.run(identify(schema, table, identity));
			await session.run(`DROP PUBLICATION IF EXISTS ${name(slot)}`);
		});
	});
}

/** The statement that gives a table back what its rows were found by; an index that is gone amounts to nothing. */
export const identify = (schema: string, table: string, identity: string) =>
	`ALTER TABLE ONLY ${name(schema, table)} REPLICA IDENTITY ${identity === "d" ? "DEFAULT" : "NOTHING"}`;

async function dropSlot(session: Session, slot: string): Promise<void> {
	const sql = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1";
	for (let attempt = 1; ; attempt++)
		try {
			await session.run(sql, [slot]);
			return;
		} catch (error) {
			// 55006: somebody uses it, such as a connection of ours that the server has not yet noticed to be gone.
			if (sqlState(error) !== "55006" || attempt === 20) throw error;
			await session.run(
				"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL",
				[slot],
			);
			await session.run("SELECT pg_sleep(0.1)");
		}
}

/**
 * Makes a slot anew and calls `work` with the name of a snapshot of exactly what was there before the slot's first change.
 * A transaction that runs for longer than `patience` seconds stands in the way: then it throws (57014).
 */
export async function openSlot<Result>(
	place: PostgresPlace,
	slot: string,
	patience: number,
	signal: AbortSignal,
	work: (snapshot: string, position: string) => Promise<Result>,
): Promise<Result> {
	await inSession(place, signal, (session) => dropSlot(session, slot));
	const settings = { statement_timeout: `${patience}s` };
	const session = await openSession(place, signal, { replication: true, settings });
	try {
		const made = await session.row<{ consistent_point: string; snapshot_name: string }>(
			`CREATE_REPLICATION_SLOT ${name(slot)} LOGICAL pgoutput EXPORT_SNAPSHOT`,
		);
		return await work(made.snapshot_name, made.consistent_point);
	} finally {
		await session.end();
	}
}

/** Whether the slot still has all that came after it was made; a server may give up on one that keeps too much. */
export async function isWhole(session: Session, slot: string): Promise<boolean> {
	const [found] = await session.rows<{ status: string }>(
		"SELECT coalesce(wal_status, 'lost') AS status FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()",
		[slot],
	);
	return found !== undefined && found.status !== "lost";
}

/** Where the log is now: everything committed before has a place before it, and is on the disk. */
export async function present(session: Session): Promise<string> {
	await session.transaction("BEGIN", async () => {
		await session.run("SET LOCAL synchronous_commit = 'local'");
		// A commit that has written something is waited for until it is on the disk, and with it all before it.
		await session.run("SELECT pg_logical_emit_message(true, 'fediversity', '')");
	});
	const { lsn } = await session.row<{ lsn: string }>("SELECT pg_current_wal_flush_lsn() AS lsn");
	return lsn;
}

/** Changes that were committed up to a place in the log, in order, in batches of some MiB. They stay in the slot. */
export async function* changes(session: Session, slot: string, upTo: string): AsyncGenerator<readonly Decoded[]> {
	const decoder = new Decoder();
	const described = new Set<number>();
	await session.run("BEGIN");
	try {
		await session.run(`
			DECLARE changes NO SCROLL CURSOR FOR SELECT data FROM pg_logical_slot_peek_binary_changes(${literal(slot)},
				${literal(upTo)}, NULL, 'proto_version', '1', 'publication_names', ${literal(name(slot))})`);
		for (let count = 100; ; ) {
			const rows = await session.rows<{ data: string }>(`FETCH ${count} FROM changes`);
			if (rows.length === 0) break;
			const length = rows.reduce((sum, { data }) => sum + data.length, 0);
			count = Math.max(10, Math.min(10_000, Math.floor((rows.length * 8_000_000) / Math.max(length, 1))));
			yield rows.flatMap(({ data }) => decoded(decoder, described, data));
		}
	} finally {
		await session.run("ROLLBACK").catch(() => {});
	}
}

/** A message, with the description of its table in front when that is new. */
function decoded(decoder: Decoder, described: Set<number>, hex: string): Decoded[] {
	const message = Buffer.from(hex.slice(2), "hex");
	if (message[0] === 0x52) {
		described.delete(message.readUInt32BE(1));
		decoder.read(message);
		return [];
	}
	const record = decoder.read(message);
	if (!record) return [];
	const ids = record[0] === "truncate" ? record[1] : typeof record[1] === "number" ? [record[1]] : [];
	const unknown = ids.filter((id) => !described.has(id));
	for (const id of unknown) described.add(id);
	return [...unknown.map((id) => decoder.table(id)), record];
}

/** Lets the slot forget what came before a place in the log. */
export const advance = (session: Session, slot: string, to: string) =>
	session.run("SELECT pg_replication_slot_advance($1, $2::pg_lsn)", [slot, to]);

/** A place in the log as a number. */
export function positionOf(lsn: string): bigint {
	const [high = "0", low = "0"] = lsn.split("/");
	return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
