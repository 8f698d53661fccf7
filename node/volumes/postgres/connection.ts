import type { Client } from "pg";
import type { Place } from "../volume.ts";

export type PostgresPlace = Extract<Place, { kind: "postgres" }>;
export type Row = Readonly<Record<string, string | null>>;

/** What values look like as text must not depend on how a server, a database or a role is set up. */
const settings: Readonly<Record<string, string>> = {
	search_path: "",
	datestyle: "ISO,YMD",
	intervalstyle: "postgres",
	timezone: "UTC",
	extra_float_digits: "3",
	bytea_output: "hex",
	xmloption: "content",
	lc_monetary: "C",
	lc_numeric: "C",
	statement_timeout: "0",
	lock_timeout: "0",
	idle_in_transaction_session_timeout: "0",
	check_function_bodies: "off",
	// Plans that may not be chosen look so dear that each statement would be compiled, which takes a second.
	jit: "off",
};

/** The same settings for libpq and for our own connections (`options` of a connection). */
export const connectionOptions = (more: Readonly<Record<string, string>> = {}) =>
	Object.entries({ ...settings, ...more })
		.map(([name, value]) => `-c ${name}=${value}`)
		.join(" ");

/** One connection. Values come as text, as the server writes them; a broken connection fails the query under way. */
export class Session {
	readonly #client: Client;
	readonly #signal: AbortSignal;
	readonly #stop = () => void this.#client.end().catch(() => {});

	/** Made by `openSession`. */
	constructor(client: Client, signal: AbortSignal) {
		this.#client = client;
		this.#signal = signal;
		signal.addEventListener("abort", this.#stop);
	}

	async rows<Result = Row>(sql: string, values?: readonly unknown[]): Promise<readonly Result[]> {
		return (await this.#ask(sql, values)).rows as Result[];
	}

	/** The first row; throws when there is none. */
	async row<Result = Row>(sql: string, values?: readonly unknown[]): Promise<Result> {
		const [first] = await this.rows<Result>(sql, values);
		if (!first) throw new Error(`No row: ${sql.slice(0, 80)}`);
		return first;
	}

	/** Runs a statement; answers how many rows it has changed. */
	async run(sql: string, values?: readonly unknown[]): Promise<number> {
		return (await this.#ask(sql, values)).rowCount ?? 0;
	}

	/** All of it or nothing of it. */
	async transaction<Result>(begin: string, work: () => Promise<Result>): Promise<Result> {
		await this.run(begin);
		try {
			const result = await work();
			await this.run("COMMIT");
			return result;
		} catch (error) {
			await this.run("ROLLBACK").catch(() => {});
			throw error;
		}
	}

	async end(): Promise<void> {
		this.#signal.removeEventListener("abort", this.#stop);
		await this.#client.end().catch(() => {});
	}

	async #ask(sql: string, values: readonly unknown[] | undefined) {
		this.#signal.throwIfAborted();
		try {
			return await (values ? this.#client.query(sql, [...values]) : this.#client.query(sql));
		} catch (error) {
			this.#signal.throwIfAborted();
			throw error;
		}
	}
}

export interface SessionOptions {
	/** Instead of the place's own. */
	readonly database?: string;
	/** Speaks the replication protocol too. */
	readonly replication?: boolean;
	readonly settings?: Readonly<Record<string, string>>;
}

/** Connects. `pg` is loaded with the first call. */
export async function openSession(
	place: PostgresPlace,
	signal: AbortSignal,
	options: SessionOptions = {},
): Promise<Session> {
	signal.throwIfAborted();
	const { default: pg } = await import("pg");
	const client = new pg.Client({
		host: place.host,
		port: place.port,
		database: options.database ?? place.database,
		user: place.user,
		password: place.password ?? "",
		ssl: false,
		connectionTimeoutMillis: 20_000,
		keepAlive: true,
		application_name: "fediversity",
		client_encoding: "UTF8",
		options: connectionOptions(options.settings),
		types: { getTypeParser: () => (value: unknown) => value },
		...(options.replication ? { replication: "database" } : {}),
	} as ConstructorParameters<typeof pg.Client>[0]);
	// Without a listener a connection that breaks while idle would end the process; the next query reports it.
	client.on("error", () => {});
	await client.connect();
	return new Session(client, signal);
}

/** Connects, works, and ends the connection whatever happens. */
export async function inSession<Result>(
	place: PostgresPlace,
	signal: AbortSignal,
	work: (session: Session) => Promise<Result>,
	options: SessionOptions = {},
): Promise<Result> {
	const session = await openSession(place, signal, options);
	try {
		return await work(session);
	} finally {
		await session.end();
	}
}

/** A connection beside all databases of a place, from which they can be made, renamed and dropped. */
export async function inMaintenance<Result>(
	place: PostgresPlace,
	signal: AbortSignal,
	work: (session: Session) => Promise<Result>,
): Promise<Result> {
	const database = await reachable(place, signal, ["postgres", "template1"]);
	return inSession(place, signal, work, { database });
}

async function reachable(place: PostgresPlace, signal: AbortSignal, names: readonly string[]): Promise<string> {
	for (const database of names.slice(0, -1))
		try {
			await inSession(place, signal, (session) => session.row("SELECT 1 AS one"), { database });
			return database;
		} catch (error) {
			// 3D000: no such database, 42501: may not connect to it.
			if (!["3D000", "42501"].includes(sqlState(error) ?? "")) throw error;
		}
	return names.at(-1) ?? place.database;
}

/** The five characters that PostgreSQL gives to a kind of error; undefined: not an answer of the server. */
export const sqlState = (error: unknown): string | undefined =>
	error instanceof Error && "code" in error && typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code)
		? error.code
		: undefined;

/** An identifier, quoted. */
export const name = (...parts: readonly string[]) => parts.map((part) => `"${part.replaceAll('"', '""')}"`).join(".");

/** A string constant, quoted, for statements that take no parameters. */
export const literal = (text: string) => `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
