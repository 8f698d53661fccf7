import type { Database } from "../store/database.ts";

/** Which requests have been seen: each signature is good for one. */
export class Nonces {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** True for the one request that comes first; remembered until it would be too old anyway (ms). */
	once(key: string, nonce: string, until: number): boolean {
		this.#db.run("DELETE FROM nonce WHERE until < $now", { now: this.#now() });
		const sql = "INSERT INTO nonce (key, nonce, until) VALUES ($key, $nonce, $until) ON CONFLICT DO NOTHING";
		return this.#db.run(sql, { key, nonce, until }).changes === 1;
	}
}
