import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { z } from "zod";
import type { Scope as ScopeSchema } from "#protocol/api/account.ts";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import type { Customer } from "./customer.ts";
import { type CustomerRow, customerOf } from "./customers.ts";

export type Scope = z.infer<typeof ScopeSchema>;

/** What a script signs in with. */
export interface Token {
	readonly id: string;
	readonly name: string;
	readonly scopes: readonly Scope[];
	readonly createdAt: number;
	readonly expiresAt: number;
	readonly lastUsedAt: number | null;
}

interface Row {
	id: string;
	name: string;
	scopes: string;
	created_at: number;
	expires_at: number;
	last_used_at: number | null;
}

/** Lets people, and programs that look for leaked secrets, see what it is. */
export const tokenPrefix = "fdv_";
const minute = 60_000;

/** All API tokens. Each is told once and kept as a hash. */
export class Tokens {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	make(
		customer: string,
		wish: { name: string; scopes: readonly Scope[]; expiresAt: number },
	): Token & { secret: string } {
		const secret = tokenPrefix + randomBytes(32).toString("base64url");
		const token = { ...wish, id: randomUUID(), scopes: [...new Set(wish.scopes)], createdAt: this.#now() };
		this.#db.run(
			`INSERT INTO api_token (id, token_hash, customer, name, scopes, created_at, expires_at)
			 VALUES ($id, $hash, $customer, $name, $scopes, $createdAt, $expiresAt)`,
			{ ...token, customer, scopes: token.scopes.join(" "), hash: hashed(secret) },
		);
		return { ...token, lastUsedAt: null, secret };
	}

	/** Whose token it is, and what it may do; undefined when there is none such or it has expired. */
	find(secret: string): { token: Token; customer: Customer } | undefined {
		const now = this.#now();
		const row = this.#db.get<Row & { customer: string }>(
			"SELECT * FROM api_token WHERE token_hash = $hash AND expires_at > $now",
			{ hash: hashed(secret), now },
		);
		if (!row) return undefined;
		if (Math.abs(now - (row.last_used_at ?? 0)) >= minute)
			this.#db.run("UPDATE api_token SET last_used_at = $now WHERE id = $id", { id: row.id, now });
		const owner = this.#db.get<CustomerRow>("SELECT * FROM customer WHERE id = $customer", { customer: row.customer });
		return owner && { token: tokenOf(row), customer: customerOf(owner) };
	}

	isValid(id: string): boolean {
		const sql = "SELECT 1 FROM api_token WHERE id = $id AND expires_at > $now";
		return this.#db.get(sql, { id, now: this.#now() }) !== undefined;
	}

	/** Throws `not-found` when the customer has no such token. */
	revoke(customer: string, id: string): void {
		const sql = "DELETE FROM api_token WHERE id = $id AND customer = $customer";
		if (this.#db.run(sql, { id, customer }).changes === 0) throw new Problem("not-found");
	}

	/** With those that have expired, so that people see why a script stopped working. */
	page(customer: string, ask: PageAsk): Page<Token> {
		const sql = `SELECT * FROM api_token WHERE customer = $customer AND (created_at, id) < ($at, $id)
			ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds, customer }), tokenOf);
	}
}

function tokenOf({ id, name, scopes, created_at, expires_at, last_used_at }: Row): Token {
	return {
		...{ id, name, createdAt: created_at, expiresAt: expires_at, lastUsedAt: last_used_at },
		scopes: scopes.split(" ") as Scope[],
	};
}

/** A token has 256 random bits, so a plain hash keeps it. */
function hashed(secret: string): Buffer {
	return createHash("sha256").update(secret).digest();
}
