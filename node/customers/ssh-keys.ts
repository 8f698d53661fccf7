import { randomUUID } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import { parseKey } from "./ssh-key.ts";

export interface SshKey {
	readonly id: string;
	readonly name: string;
	readonly key: string;
	readonly fingerprint: string;
	readonly createdAt: number;
}

interface Row {
	id: string;
	name: string;
	key: string;
	fingerprint: string;
	created_at: number;
}

/** The SSH keys of all customers. */
export class SshKeys {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** Checks a key and keeps it; the same key again gets the new name. Throws `not-valid` saying what is wrong with it. */
	add(customer: string, name: string, line: string): SshKey {
		const { key, fingerprint } = checked(line);
		const row = this.#db.get<Row>(
			`INSERT INTO ssh_key (id, customer, name, key, fingerprint, created_at)
			 VALUES ($id, $customer, $name, $key, $fingerprint, $now)
			 ON CONFLICT (customer, fingerprint) DO UPDATE SET name = $name RETURNING *`,
			{ id: randomUUID(), customer, name, key, fingerprint, now: this.#now() },
		);
		if (!row) throw new Error("An SSH key was not written down");
		return keyOf(row);
	}

	/** Throws `not-found` when the customer has no such key. */
	remove(customer: string, id: string): void {
		const sql = "DELETE FROM ssh_key WHERE id = $id AND customer = $customer";
		if (this.#db.run(sql, { id, customer }).changes === 0) throw new Problem("not-found");
	}

	/** The keys alone, as authorized_keys has them. */
	of(customer: string): string[] {
		const rows = this.#db.all<Pick<Row, "key">>("SELECT key FROM ssh_key WHERE customer = $customer", { customer });
		return rows.map(({ key }) => key);
	}

	page(customer: string, ask: PageAsk): Page<SshKey> {
		const sql = `SELECT * FROM ssh_key WHERE customer = $customer AND (created_at, id) < ($at, $id)
			ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds, customer }), keyOf);
	}
}

function checked(line: string) {
	try {
		return parseKey(line);
	} catch (error) {
		throw new Problem("not-valid", {}, { errors: [{ pointer: "/key", detail: (error as Error).message }] });
	}
}

function keyOf({ id, name, key, fingerprint, created_at }: Row): SshKey {
	return { id, name, key, fingerprint, createdAt: created_at };
}
