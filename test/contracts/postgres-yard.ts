/** A database that a service writes to, on a server of the tests' own. */
import { type Entry, type Place, pieceSize } from "../../node/volumes/volume.ts";
import { type Cluster, hasPostgres } from "../postgres.ts";
import { everything } from "../postgres-move.ts";
import { hashOf, noise } from "./round.ts";
import type { VolumeUnderTest, Yard } from "./volume.ts";

type PostgresPlace = Extract<Place, { kind: "postgres" }>;

/** `cluster` is started before the first yard is opened. */
export function postgres(cluster: () => Cluster): VolumeUnderTest {
	let number = 0;
	return {
		skip: hasPostgres ? null : "PostgreSQL 15 is not installed",
		async open() {
			number++;
			const from = await cluster().place(`from${number}`);
			const to = await cluster().place(`to${number}`, "CREATEDB");
			return new PostgresYard(cluster(), from, to);
		},
	};
}

const text = (seed: string) => `(SELECT string_agg(md5(${seed} || j::text), '') FROM generate_series(1, 120) AS j)`;
/** An entry whose pieces are what the suite makes up for it. */
const entry = (path: string, more: Partial<Entry> = {}): Entry => ({
	...{ path, type: "dump", size: 300, pieces: [hashOf(noise(300, path))] },
	...more,
});
const empty = (path: string) => entry(path, { size: 0, pieces: [] });

class PostgresYard implements Yard {
	readonly from: PostgresPlace;
	readonly to: PostgresPlace;
	readonly rehearsal: PostgresPlace;

	readonly #cluster: Cluster;

	constructor(cluster: Cluster, from: PostgresPlace, to: PostgresPlace) {
		this.#cluster = cluster;
		this.from = from;
		this.to = to;
		this.rehearsal = { ...to, database: `${to.database}_rehearsal` };
	}

	async populate(): Promise<void> {
		await this.#there(`CREATE TABLE posts (id serial PRIMARY KEY, body text);
			INSERT INTO posts (body) SELECT ${text("i::text || ' '")} FROM generate_series(1, 1500) AS i;
			SELECT lo_from_bytea(500, decode(repeat('0a1b2c', 200000), 'hex'))`);
	}

	async occupy(): Promise<void> {
		await this.#cluster.sql(
			this.to.database,
			"CREATE TABLE before (a int); INSERT INTO before VALUES (1)",
			this.to.user,
		);
	}

	async change(): Promise<number> {
		await this.#there("UPDATE posts SET body = 'changed' WHERE id = 700; INSERT INTO posts (body) VALUES ('new')");
		return 1000;
	}

	async grow(bytes: number): Promise<void> {
		await this.#there(
			"CREATE TABLE files (id int PRIMARY KEY, content bytea); ALTER TABLE files ALTER content SET STORAGE EXTERNAL",
		);
		// As text, which is what a dump has in it, each byte takes two.
		for (let at = 0; at < bytes / 2; at += 4 * 1024 * 1024)
			await this.#there(`INSERT INTO files VALUES (${at}, decode(repeat(md5('${at}'), 131072), 'hex'));
				INSERT INTO files VALUES (${at + 1}, decode(repeat(md5('b${at}'), 131072), 'hex'))`);
	}

	async writeAllTheTime(): Promise<() => Promise<void>> {
		let isWriting = true;
		const write = async () => {
			for (let count = 1; isWriting; count++)
				await this.#there(`UPDATE posts SET body = body || 'x${count}' WHERE id % 50 = ${count % 50};
					INSERT INTO posts (body) VALUES ('new'); DELETE FROM posts WHERE id = ${count}`);
		};
		const writing = write();
		return async () => {
			isWriting = false;
			await writing;
		};
	}

	async remove(): Promise<string> {
		await this.#there("SELECT lo_unlink(500)");
		return "large/500";
	}

	readonly damage = null;

	contents(place: Place): Promise<unknown> {
		return everything(this.#cluster, (place as PostgresPlace).database, "--no-publications");
	}

	readonly hostile = {
		"nothing at all": [],
		"no sequences": [entry("base")],
		"a base that is none": [entry("base"), empty("sequences")],
		"another type": [entry("base", { type: "file" }), empty("sequences")],
		"the same twice": [entry("base"), entry("base"), empty("sequences")],
		"a path that leads out": [entry("base"), entry("../base"), empty("sequences")],
		"changes with a gap": [entry("base"), entry("changes/00000002"), empty("sequences")],
		"a large object without a number": [entry("base"), empty("sequences"), entry("large/x")],
		"large objects in disorder": [entry("base"), empty("sequences"), entry("large/7"), entry("large/6")],
		"a piece whose name leads out": [entry("base", { pieces: [`../${"a".repeat(40)}`] }), empty("sequences")],
		"fewer pieces than bytes": [entry("base", { size: pieceSize + 1 }), empty("sequences")],
	};

	async close(): Promise<void> {
		const slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active";
		await this.#cluster.sql("postgres", slots);
	}

	async #there(sql: string): Promise<void> {
		await this.#cluster.sql(this.from.database, sql, this.from.user);
	}
}
