import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import type { Customer } from "./customer.ts";
import { type CustomerRow, customerOf } from "./customers.ts";

/** One place where a customer is signed in. */
export interface Session {
	readonly id: string;
	/** The browser, as it calls itself. */
	readonly agent: string;
	readonly createdAt: number;
	readonly lastSeenAt: number;
}

interface Row {
	id: string;
	agent: string;
	created_at: number;
	last_seen_at: number;
}

/** How exactly `last seen` is kept, ms; a busy session is written down no more often. */
const minute = 60_000;
/** So long after the password was said, what asks for it is done without. */
const freshness = 15 * minute;
/** Older sessions than this many newest of one customer are ended. */
const most = 100;

/** All sessions. A session's token is told once and kept as a hash; unused for `days`, it ends. */
export class Sessions {
	readonly #db: Database;
	readonly #lifetime: number;
	readonly #now: () => number;

	constructor(db: Database, days: number, now: () => number) {
		this.#db = db;
		this.#lifetime = days * 86_400_000;
		this.#now = now;
	}

	/** How long a session lasts without use, in seconds. */
	get seconds(): number {
		return this.#lifetime / 1000;
	}

	/** Always a new token: one that was there before signing in never becomes a session. */
	begin(customer: string, agent: string): { id: string; token: string } {
		const token = randomBytes(32).toString("base64url");
		const now = this.#now();
		const row = { id: randomUUID(), hash: hashed(token), customer, agent: agent.slice(0, 300), now };
		this.#db.transaction(() => {
			this.#db.run(
				`INSERT INTO session (id, token_hash, customer, agent, created_at, last_seen_at, expires_at, confirmed_at)
				 VALUES ($id, $hash, $customer, $agent, $now, $now, $expiresAt, $now)`,
				{ ...row, expiresAt: now + this.#lifetime },
			);
			this.#tidy(customer, now);
		});
		return { id: row.id, token };
	}

	/**
	 * Whose session it is, and makes it last longer; undefined when there is none such or it is over. `fresh`: the password
	 * was said in it in the last 15 minutes.
	 */
	find(token: string): { id: string; customer: Customer; fresh: boolean } | undefined {
		const now = this.#now();
		const found = this.#db.get<CustomerRow & { session: string; seen: number; confirmed: number }>(
			`SELECT customer.*, session.id AS session, session.last_seen_at AS seen, session.confirmed_at AS confirmed
			 FROM session JOIN customer ON customer.id = session.customer WHERE token_hash = $hash AND expires_at > $now`,
			{ hash: hashed(token), now },
		);
		if (!found) return undefined;
		if (Math.abs(now - found.seen) >= minute) this.#touch(found.session, found.id, now);
		const fresh = Math.abs(now - found.confirmed) < freshness;
		return { id: found.session, customer: customerOf(found), fresh };
	}

	/** The password was said in it just now. */
	confirm(id: string): void {
		this.#db.run("UPDATE session SET confirmed_at = $now WHERE id = $id", { id, now: this.#now() });
	}

	/** Whether it is still going, without making it last longer. */
	isGoing(id: string): boolean {
		const sql = "SELECT 1 FROM session WHERE id = $id AND expires_at > $now";
		return this.#db.get(sql, { id, now: this.#now() }) !== undefined;
	}

	/** A new token for the same session; the one before is worth nothing any more. */
	renew(id: string): string {
		const token = randomBytes(32).toString("base64url");
		this.#db.run("UPDATE session SET token_hash = $hash WHERE id = $id", { id, hash: hashed(token) });
		return token;
	}

	/** Throws `not-found` when the customer has no such session. */
	end(customer: string, id: string): void {
		const sql = "DELETE FROM session WHERE id = $id AND customer = $customer";
		if (this.#db.run(sql, { id, customer }).changes === 0) throw new Problem("not-found");
	}

	/** Ends all of a customer's, but for one. */
	endAll(customer: string, but: string | null = null): void {
		this.#db.run("DELETE FROM session WHERE customer = $customer AND id IS NOT $but", { customer, but });
	}

	page(customer: string, ask: PageAsk): Page<Session> {
		const sql = `SELECT * FROM session WHERE customer = $customer AND expires_at > $now
			AND (created_at, id) < ($at, $id) ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(
			ask,
			(bounds) => this.#db.all<Row>(sql, { ...bounds, customer, now: this.#now() }),
			({ id, agent, created_at, last_seen_at }) => ({ id, agent, createdAt: created_at, lastSeenAt: last_seen_at }),
		);
	}

	#touch(id: string, customer: string, now: number) {
		this.#db.transaction(() => {
			this.#db.run("UPDATE session SET last_seen_at = $now, expires_at = $expiresAt WHERE id = $id", {
				id,
				now,
				expiresAt: now + this.#lifetime,
			});
			this.#db.run("UPDATE customer SET last_seen_at = $now WHERE id = $customer", { customer, now });
		});
	}

	#tidy(customer: string, now: number) {
		this.#db.run("UPDATE customer SET last_seen_at = $now WHERE id = $customer", { customer, now });
		this.#db.run(
			`DELETE FROM session WHERE expires_at <= $now OR id IN
			 (SELECT id FROM session WHERE customer = $customer ORDER BY last_seen_at DESC, rowid DESC LIMIT -1 OFFSET $most)`,
			{ customer, now, most },
		);
	}
}

/** A token has 256 random bits, so a plain hash keeps it. */
function hashed(token: string): Buffer {
	return createHash("sha256").update(token).digest();
}
