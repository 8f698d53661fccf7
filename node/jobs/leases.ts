import type { Database } from "../store/database.ts";

/** Somebody else has taken the job over; what is written now would be written twice. */
export class LeaseLost extends Error {
	override readonly name = "LeaseLost";
}

/**
 * Who works on which job. A lease is a name and a counter that its holder keeps moving; there is no time in it, so
 * no clock can strand a job or give it to two. A lease whose counter stands still while somebody else looks several
 * times is dead.
 */
export class Leases {
	readonly #db: Database;
	readonly #owner: string;
	readonly #patience: number;
	readonly #seen = new Map<string, { mark: string; looks: number }>();

	/** `patience`: how many looks in a row a counter may stand still. */
	constructor(db: Database, owner: string, patience: number) {
		this.#db = db;
		this.#owner = owner;
		this.#patience = patience;
	}

	/** Takes the oldest job that has something to do and that nobody holds. */
	claim(): string | undefined {
		return this.#db.transaction(
			() =>
				this.#db.get<{ id: string }>(
					`UPDATE job SET lease_owner = :owner, lease_beat = lease_beat + 1 WHERE rowid =
						(SELECT rowid FROM job WHERE state NOT IN ('done', 'undone', 'stuck') AND lease_owner IS NULL
							ORDER BY rowid LIMIT 1)
						RETURNING id`,
					{ owner: this.#owner },
				)?.id,
		);
	}

	holds(job: string): boolean {
		const sql = "SELECT 1 FROM job WHERE id = :job AND lease_owner = :owner";
		return this.#db.get(sql, { job, owner: this.#owner }) !== undefined;
	}

	/** Shows that the holder is alive. */
	beat() {
		this.#db.run("UPDATE job SET lease_beat = lease_beat + 1 WHERE lease_owner = :owner", { owner: this.#owner });
	}

	/** Does nothing if the lease is somebody else's by now. */
	release(job: string) {
		const sql = "UPDATE job SET lease_owner = NULL WHERE id = :job AND lease_owner = :owner";
		this.#db.run(sql, { job, owner: this.#owner });
	}

	/** Frees what owners whose name begins like this have held; for a node's own earlier lives. */
	takeOver(prefix: string) {
		this.#db.run(
			`UPDATE job SET lease_owner = NULL
				WHERE lease_owner IS NOT NULL AND substr(lease_owner, 1, length(:prefix)) = :prefix AND lease_owner <> :owner`,
			{ prefix, owner: this.#owner },
		);
	}

	/** One look at what others hold; frees what is dead. */
	reap() {
		const held = this.#db.all<{ id: string; lease_owner: string; lease_beat: number }>(
			"SELECT id, lease_owner, lease_beat FROM job WHERE lease_owner IS NOT NULL AND lease_owner <> :owner",
			{ owner: this.#owner },
		);
		for (const id of this.#seen.keys()) if (!held.some((lease) => lease.id === id)) this.#seen.delete(id);
		for (const { id, lease_owner, lease_beat } of held) {
			const mark = `${lease_owner} ${lease_beat}`;
			const seen = this.#seen.get(id);
			const looks = seen?.mark === mark ? seen.looks + 1 : 0;
			this.#seen.set(id, { mark, looks });
			if (looks >= this.#patience) this.#free(id, lease_owner, lease_beat);
		}
	}

	#free(id: string, owner: string, beat: number) {
		this.#db.run("UPDATE job SET lease_owner = NULL WHERE id = :id AND lease_owner = :owner AND lease_beat = :beat", {
			id,
			owner,
			beat,
		});
		this.#seen.delete(id);
	}
}
