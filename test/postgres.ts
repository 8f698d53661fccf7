import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Place } from "../node/volumes/volume.ts";

type PostgresPlace = Extract<Place, { kind: "postgres" }>;

/** Where Debian puts the programs of PostgreSQL 15. */
export const programs = "/usr/lib/postgresql/15/bin";
export const hasPostgres = existsSync(join(programs, "postgres"));

/** A PostgreSQL of the tests' own, on a Unix socket in a temporary folder. */
export interface Cluster {
	/** The folder of its socket. */
	readonly host: string;
	/** A place with an owner of its own, who may make databases, and replicate unless said otherwise. The database is empty. */
	place(database: string, rights?: string): Promise<PostgresPlace>;
	/** Runs statements, as the administrator if no user is given; answers the rows of the last one, all values as text. */
	sql(database: string, text: string, user?: string): Promise<Record<string, string | null>[]>;
	/** Ends at once, as if the machine had lost its power, and starts again. */
	crash(): Promise<void>;
	stop(): Promise<void>;
}

/** Starts a cluster; `settings` such as `wal_level=minimal` go in front of the tests' own. */
export async function startCluster(settings: readonly string[] = []): Promise<Cluster> {
	const folder = mkdtempSync(join(tmpdir(), "fediversity-postgres-"));
	const data = join(folder, "data");
	mkdirSync(data);
	const user = server();
	if (user) for (const one of [folder, data]) chownSync(one, user.uid, user.gid);
	const made = spawnSync(
		join(programs, "initdb"),
		["-D", data, "-A", "trust", "-U", "admin", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
		{ ...user, encoding: "utf8", cwd: folder },
	);
	if (made.status !== 0) throw new Error(made.stderr);
	const own = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off", "max_wal_size=4GB"];
	// Nobody cleans up in between: it holds locks, which on a busy machine makes a move dump where it would follow changes.
	const quiet = "autovacuum=off";
	const args = ["wal_level=logical", "max_replication_slots=40", "max_wal_senders=40", quiet, ...own, ...settings];
	const start = async () => {
		const child = spawn(join(programs, "postgres"), ["-D", data, ...args.flatMap((one) => ["-c", one])], {
			...user,
			cwd: folder,
			stdio: ["ignore", "ignore", "pipe"],
		});
		let said = "";
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			said = (said + text).slice(-10_000);
		});
		await untilReady(
			folder,
			() => child.exitCode,
			() => said,
		);
		return child;
	};
	let child = await start();
	const end = async (signal: NodeJS.Signals) => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		child.kill(signal);
		await once(child, "exit");
	};
	return {
		host: folder,
		place: (database, rights = "CREATEDB REPLICATION") => makePlace(folder, database, rights),
		sql: (database, text, as) => ask(folder, database, text, as),
		async crash() {
			await end("SIGQUIT");
			child = await start();
		},
		async stop() {
			await end("SIGINT");
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** PostgreSQL refuses to run as root: then somebody else whom every Debian knows. */
function server(): { uid: number; gid: number } | undefined {
	if (process.getuid?.() !== 0) return undefined;
	const line = readFileSync("/etc/passwd", "utf8").match(/^(?:postgres|nobody):[^:]*:(\d+):(\d+):/m);
	if (!line) throw new Error("There is nobody here that PostgreSQL could run as");
	return { uid: Number(line[1]), gid: Number(line[2]) };
}

async function untilReady(host: string, exitCode: () => number | null, said: () => string): Promise<void> {
	for (;;) {
		if (exitCode() !== null) throw new Error(`PostgreSQL ended: ${said()}`);
		if (await ask(host, "postgres", "SELECT 1").catch(() => null)) return;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

async function ask(
	host: string,
	database: string,
	text: string,
	user = "admin",
): Promise<Record<string, string | null>[]> {
	const types = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;
	const client = new pg.Client({ host, port: 5432, database, user, types });
	client.on("error", () => {});
	await client.connect();
	try {
		const answer = (await client.query(text)) as pg.QueryResult | pg.QueryResult[];
		return (Array.isArray(answer) ? answer.at(-1) : answer)?.rows ?? [];
	} finally {
		await client.end();
	}
}

async function makePlace(host: string, database: string, rights: string): Promise<PostgresPlace> {
	const user = `${database}_owner`;
	await ask(host, "postgres", `CREATE ROLE "${user}" LOGIN ${rights}`);
	await ask(host, "postgres", `CREATE DATABASE "${database}" OWNER "${user}"`);
	return { kind: "postgres", host, port: 5432, database, user, password: null, programs };
}

/**
 * Fills a database with about this many MiB, indexes included, as a service's would be: accounts, and posts by them with text
 * that does not compress to nothing, three indexes and a foreign key.
 */
export async function fillDatabase(place: PostgresPlace, mebibytes: number): Promise<void> {
	// 24,000 posts make 16 MiB.
	const posts = Math.ceil((mebibytes / 16) * 24_000);
	const accounts = Math.ceil(posts / 50);
	await ask(
		place.host,
		place.database,
		`CREATE TABLE accounts (id bigserial PRIMARY KEY, name text UNIQUE NOT NULL, created timestamptz NOT NULL DEFAULT now());
		CREATE TABLE posts (id bigserial PRIMARY KEY, account bigint NOT NULL, uri text NOT NULL,
			body text NOT NULL, likes int NOT NULL DEFAULT 0, created timestamptz NOT NULL);
		INSERT INTO accounts (name) SELECT 'somebody' || i FROM generate_series(1, ${accounts}) AS i;
		INSERT INTO posts (account, uri, body, created) SELECT 1 + i % ${accounts},
			'https://social.choir.example/users/' || i % ${accounts} || '/statuses/' || i,
			(SELECT string_agg(md5(i::text || j::text), ' ') FROM generate_series(1, 12) AS j),
			timestamptz '2026-01-01' + i * interval '1 second' FROM generate_series(1, ${posts}) AS i;
		CREATE UNIQUE INDEX ON posts (uri); CREATE INDEX ON posts (account, id);
		ALTER TABLE posts ADD FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE; ANALYZE`,
		place.user,
	);
}
