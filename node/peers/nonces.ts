import { Database } from "../store/database.ts";

const tables = `
CREATE TABLE nonce (key TEXT NOT NULL, nonce TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (key, nonce)) STRICT, WITHOUT ROWID;
CREATE INDEX nonce_until ON nonce (until);
`;

/** How often those that are too old to matter go, ms. */
const tidying = 10_000;

/**
 * Which requests have been seen: each signature is good for one. In a file of its own, which no call waits for to reach the
 * disk: that took two thirds of what a call costs. A node that is killed forgets none; a power cut may take the last ones,
 * and a machine that starts again after it takes about as long as they are good for.
 */
export class Nonces {
	readonly #db: Database;
	readonly #now: () => number;
	#tidied = 0;

	constructor(file: string, now: () => number) {
		this.#db = new Database(file, tables);
		this.#now = now;
	}

	/** True for the one request that comes first; remembered until it would be too old anyway (ms). */
	once(key: string, nonce: string, until: number): boolean {
		this.#tidy();
		const sql = "INSERT INTO nonce (key, nonce, until) VALUES ($key, $nonce, $until) ON CONFLICT DO NOTHING";
		return this.#db.run(sql, { key, nonce, until }).changes === 1;
	}

	#tidy(): void {
		const now = this.#now();
		if (Math.abs(now - this.#tidied) < tidying) return;
		this.#tidied = now;
		this.#db.run("DELETE FROM nonce WHERE until < $now", { now });
	}
}
