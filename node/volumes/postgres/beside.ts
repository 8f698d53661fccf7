import { createHash } from "node:crypto";
import { Problem } from "#protocol/problem.ts";
import { inMaintenance, literal, name, type PostgresPlace, type Session, sqlState } from "./connection.ts";

/** Names of the databases beside a place: the one that is built up, and the one that has been replaced. */
export function namesBeside(place: PostgresPlace): { arriving: string; leaving: string } {
	const short = Buffer.from(place.database).subarray(0, 38).toString("utf8").replaceAll("\ufffd", "");
	const digest = createHash("sha256").update(place.database).digest("hex").slice(0, 8);
	return { arriving: `${short}_${digest}_arriving`, leaving: `${short}_${digest}_leaving` };
}

/** How a database is to be made, as the other side says. */
export interface Making {
	readonly collate: string | undefined;
	readonly ctype: string | undefined;
}

/** Whoever restores what a stranger has dumped must have no power but over its own. */
export async function judgeRole(session: Session): Promise<void> {
	const { strong, creates } = await session.row<{ strong: string; creates: string }>(`
		SELECT rolcreatedb OR rolsuper AS creates, rolsuper OR rolcreaterole OR rolbypassrls OR EXISTS (SELECT FROM pg_roles r
			WHERE r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
			AND pg_has_role(r.oid, 'MEMBER')) AS strong
		FROM pg_roles WHERE rolname = current_user`);
	if (strong !== "f") throw new Problem("volume-unfit", { path: "base", reason: "the role here may do too much" });
	if (creates !== "t")
		throw new Problem("volume-unfit", { path: "base", reason: "the role here may not make databases" });
}

/** Makes an empty database, after dropping one of the same name. */
export async function makeDatabase(
	place: PostgresPlace,
	database: string,
	{ collate, ctype }: Making,
	signal: AbortSignal,
): Promise<void> {
	await inMaintenance(place, signal, async (session) => {
		await judgeRole(session);
		await dropDatabase(session, database);
		const create = `CREATE DATABASE ${name(database)} TEMPLATE template0 ENCODING 'UTF8'`;
		const locale = collate && ctype ? ` LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}` : "";
		try {
			await session.run(create + locale);
		} catch (error) {
			// 42809, 22023: a locale that this machine does not have; then the one that databases have here.
			if (!["42809", "22023"].includes(sqlState(error) ?? "") || locale === "") throw error;
			await session.run(create);
		}
	});
}

/** With all connections to it. None of that name is fine. */
export async function dropDatabase(session: Session, database: string): Promise<void> {
	const drop = `DROP DATABASE IF EXISTS ${name(database)}`;
	try {
		await session.run(`${drop} WITH (FORCE)`);
	} catch (error) {
		// 42501: up to PostgreSQL 15 an owner may not end the server's own vacuuming in it, which gives way when nobody is forced.
		if (sqlState(error) !== "42501") throw error;
		await leave(session, database);
		await session.run(drop);
	}
}

export async function hasDatabase(session: Session, database: string): Promise<boolean> {
	return (await session.rows("SELECT 1 AS one FROM pg_database WHERE datname = $1", [database])).length > 0;
}

/** Makes a database as another one is now; nobody may be connected to that meanwhile. */
export async function copyDatabase(place: PostgresPlace, from: string, to: string, signal: AbortSignal): Promise<void> {
	await inMaintenance(place, signal, async (session) => {
		await dropDatabase(session, to);
		await leave(session, from);
		await session.run(`CREATE DATABASE ${name(to)} TEMPLATE ${name(from)}`);
	});
}

/**
 * Has the server write out what it holds. Dropping a database waits for that, and an owner has no other way to ask for it:
 * whoever drops one while a service rests then waits for little.
 */
export async function writeOut(place: PostgresPlace, database: string, signal: AbortSignal): Promise<void> {
	const empty = `${database}_0`.slice(-63);
	await inMaintenance(place, signal, async (session) => {
		await dropDatabase(session, empty);
		await session.run(`CREATE DATABASE ${name(empty)} TEMPLATE template0`);
		await dropDatabase(session, empty);
	});
}

/** The database that has arrived takes the place of the one there was. Cut off anywhere, again completes it. */
export async function takePlace(place: PostgresPlace, signal: AbortSignal): Promise<void> {
	const { arriving, leaving } = namesBeside(place);
	await inMaintenance(place, signal, async (session) => {
		if (await hasDatabase(session, arriving)) {
			if (await hasDatabase(session, place.database)) {
				await dropDatabase(session, leaving);
				await rename(session, place.database, leaving);
			}
			await rename(session, arriving, place.database);
		}
		await dropDatabase(session, leaving);
	});
}

async function rename(session: Session, from: string, to: string): Promise<void> {
	for (let attempt = 1; ; attempt++)
		try {
			await leave(session, from);
			await session.run(`ALTER DATABASE ${name(from)} RENAME TO ${name(to)}`);
			return;
		} catch (error) {
			// 55006: somebody has connected again in between.
			if (sqlState(error) !== "55006" || attempt === 50) throw error;
			await session.run("SELECT pg_sleep(0.1)");
		}
}

/** Ends all connections to a database that this role may end. */
const leave = (session: Session, database: string) =>
	session.run(
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = $1 AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'USAGE')`,
		[database],
	);
