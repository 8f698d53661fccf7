import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../../../node/volumes/volume.ts";
import { type Cluster, fillDatabase, programs, startCluster } from "../../postgres.ts";
import { cpuWithChildren } from "./peer.ts";

type PostgresPlace = Extract<Place, { kind: "postgres" }>;

/** The PostgreSQL of an old and of a new provider, and one database that is to move. */
export class Clusters {
	readonly #from: Cluster;
	readonly #to: Cluster;
	readonly place: PostgresPlace;
	#copies = 0;

	private constructor(from: Cluster, to: Cluster, place: PostgresPlace) {
		this.#from = from;
		this.#to = to;
		this.place = place;
	}

	static async start(gibibytes: number): Promise<Clusters> {
		const from = await startCluster();
		const to = await startCluster();
		const place = await from.place("choir");
		const clusters = new Clusters(from, to, place);
		try {
			await fillDatabase(place, gibibytes * 1024);
		} catch (error) {
			await clusters.stop();
			throw error;
		}
		return clusters;
	}

	/** An empty database at the new provider. */
	newPlace(): Promise<PostgresPlace> {
		return this.#to.place(`choir${++this.#copies}`, "CREATEDB");
	}

	/** Changes one row in `every`. */
	async change(every: number): Promise<void> {
		const sql = `UPDATE posts SET likes = likes + 1 WHERE id % ${every} = 0`;
		await this.#from.sql(this.place.database, sql, this.place.user);
	}

	/** Throws unless the copy holds the same rows. */
	async check({ database }: PostgresPlace): Promise<void> {
		const sql = `SELECT count(*), sum(hashtextextended(posts::text, 0)) FROM posts
			UNION ALL SELECT count(*), sum(hashtextextended(accounts::text, 0)) FROM accounts`;
		const all = await Promise.all([this.#from.sql(this.place.database, sql), this.#to.sql(database, sql)]);
		const [theirs, ours] = all.map((rows) => JSON.stringify(rows));
		if (theirs !== ours) throw new Error(`The copy of the database is not the same: ${ours} instead of ${theirs}`);
	}

	/** What a database dumped and restored by hand takes, as a line of shell. */
	restoring(to: PostgresPlace): string {
		const at = ({ host, user }: PostgresPlace) => `-h "${host}" -p 5432 -U "${user}"`;
		const dump = `"${join(programs, "pg_dump")}" -Fc -Z0 --no-publications ${at(this.place)} "${this.place.database}"`;
		const restore = `"${join(programs, "pg_restore")}" --no-owner -e ${at(to)} -d "${to.database}"`;
		return `${dump} | ${restore}`;
	}

	/** Processor seconds of both. */
	cpu(): number {
		return [this.#from, this.#to].reduce((sum, { host }) => sum + cpuWithChildren(serverIn(host)), 0);
	}

	async stop(): Promise<void> {
		await this.#from.stop();
		await this.#to.stop();
	}
}

/** Writes out what the machine still holds back, so that nobody pays for what another one has left to be written. */
export function settleDisk(): void {
	spawnSync("sync");
}

function serverIn(host: string): number {
	return Number(readFileSync(join(host, "data", "postmaster.pid"), "utf8").split("\n")[0]);
}
