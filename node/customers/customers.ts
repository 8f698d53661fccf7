import { randomUUID } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import { type Database, isDuplicate } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import { type Customer, emailKey } from "./customer.ts";

/** A customer's row, as other tables join it. */
export interface CustomerRow {
	id: string;
	name: string;
	email: string;
	language: Customer["language"];
	created_at: number;
	staff: number;
}

export interface KnownCustomer extends Customer {
	readonly deployments: number;
	readonly lastSeenAt: number | null;
}

/** All customers of this provider. */
export class Customers {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** Writes down a new one; `password` is hashed already. Throws `email-taken`. */
	add(wish: { name: string; email: string; language: Customer["language"]; password: string }): Customer {
		const customer = {
			id: randomUUID(),
			name: wish.name,
			email: wish.email,
			language: wish.language,
			createdAt: this.#now(),
		};
		try {
			this.#db.run(
				`INSERT INTO customer (id, name, email, email_key, password, language, created_at)
				 VALUES ($id, $name, $email, $key, $password, $language, $createdAt)`,
				{ ...customer, key: emailKey(wish.email), password: wish.password },
			);
		} catch (error) {
			throw isDuplicate(error) ? new Problem("email-taken") : error;
		}
		return { ...customer, staff: false };
	}

	/** Throws `not-found`. */
	get(id: string): Customer {
		const row = this.#db.get<CustomerRow>("SELECT * FROM customer WHERE id = $id", { id });
		if (!row) throw new Problem("not-found");
		return customerOf(row);
	}

	/** Who has this e-mail, and what is kept of their password. */
	withEmail(email: string): { customer: Customer; password: string } | undefined {
		const sql = "SELECT * FROM customer WHERE email_key = $key";
		const row = this.#db.get<CustomerRow & { password: string }>(sql, { key: emailKey(email) });
		return row && { customer: customerOf(row), password: row.password };
	}

	/** What is kept of their password. */
	passwordOf(id: string): string | undefined {
		return this.#db.get<{ password: string }>("SELECT password FROM customer WHERE id = $id", { id })?.password;
	}

	/** Replaces what is kept of a password; with `instead`, only while that is still what is kept. */
	setPassword(id: string, password: string, instead?: string): boolean {
		const sql = "UPDATE customer SET password = $password WHERE id = $id AND password = coalesce($instead, password)";
		return this.#db.run(sql, { id, password, instead: instead ?? null }).changes === 1;
	}

	change(id: string, { name, language }: { name?: string | undefined; language?: string | undefined }): Customer {
		this.#db.run(
			"UPDATE customer SET name = coalesce($name, name), language = coalesce($language, language) WHERE id = $id",
			{ id, name: name ?? null, language: language ?? null },
		);
		return this.get(id);
	}

	/** The accounts that are staff's. */
	staff(): string[] {
		return this.#db.all<{ id: string }>("SELECT id FROM customer WHERE staff = 1").map(({ id }) => id);
	}

	/** Lets an account do what provider staff does, or no longer; from its next request on. Throws `not-found`. */
	setStaff(id: string, staff: boolean): KnownCustomer {
		this.#db.run("UPDATE customer SET staff = $staff WHERE id = $id", { id, staff: Number(staff) });
		const row = this.#db.get<KnownRow>(`${known} WHERE id = $id`, { id });
		if (!row) throw new Problem("not-found");
		return knownOf(row);
	}

	/** Everybody, newest first, with how many deployments they have that are not gone. */
	page(ask: PageAsk): Page<KnownCustomer> {
		const sql = `${known} WHERE (created_at, id) < ($at, $id) ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<KnownRow>(sql, bounds), knownOf);
	}
}

export function customerOf({ id, name, email, language, created_at, staff }: CustomerRow): Customer {
	return { id, name, email, language, createdAt: created_at, staff: staff === 1 };
}

interface KnownRow extends CustomerRow {
	deployments: number;
	last_seen_at: number | null;
}

const known = `SELECT *, (SELECT count(*) FROM deployment d WHERE d.customer = customer.id AND d.state <> 'gone')
	AS deployments FROM customer`;

function knownOf(row: KnownRow): KnownCustomer {
	return { ...customerOf(row), deployments: row.deployments, lastSeenAt: row.last_seen_at };
}
