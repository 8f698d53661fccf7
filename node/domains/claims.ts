import { randomBytes } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";

/** A customer's word that a domain is theirs. */
export interface Claim {
	readonly domain: string;
	readonly customer: string;
	/** What the ownership record says of it: random, and no secret. */
	readonly claim: string;
	/** Ms since 1970. */
	readonly addedAt: number;
	/** Since when this customer alone has the domain here; null: the claim waits for its proof. */
	readonly heldAt: number | null;
	/** How often the domain has changed nodes, and one, for when this node serves it. */
	readonly epoch: number;
	/** The deployment under it. */
	readonly deployment: string | null;
}

interface Row {
	domain: string;
	customer: string;
	id: string;
	created_at: number;
	held_at: number | null;
	epoch: number;
	deployment: string | null;
}

/** So many domains without services a customer may have; names in our zones are not for hoarding. */
const mostIdle = 20;

const columns = `domain, customer, claim AS id, added_at AS created_at, held_at, epoch, (
	SELECT id FROM deployment WHERE deployment.domain = domain.domain AND deployment.customer = domain.customer AND state <> 'gone'
	ORDER BY state IN ('moved', 'arriving', 'erasing'), created_at DESC LIMIT 1
) AS deployment`;

/** Who says of which domain that it is theirs. One customer at most holds a domain; the database sees to it. */
export class Claims {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** Writes down a claim; the one that is there already stays as it is. Throws `domains-too-many`. */
	add(customer: string, domain: string): Claim {
		return this.#db.transaction(() => {
			const known = this.find(customer, domain);
			if (known) return known;
			if (this.#idle(customer) >= mostIdle) throw new Problem("domains-too-many", { limit: mostIdle });
			this.#db.run("INSERT INTO domain (domain, customer, claim, added_at) VALUES ($domain, $customer, $claim, $now)", {
				...{ domain, customer, claim: randomBytes(16).toString("base64url"), now: this.#now() },
			});
			return this.get(customer, domain);
		});
	}

	/** Both at once: no claim is left behind when the domain cannot be held. */
	addAndHold(customer: string, domain: string, grace: number): Claim {
		return this.#db.transaction(() => {
			this.add(customer, domain);
			return this.hold(customer, domain, grace);
		});
	}

	find(customer: string, domain: string): Claim | undefined {
		const sql = `SELECT ${columns} FROM domain WHERE domain = $domain AND customer = $customer`;
		const row = this.#db.get<Row>(sql, { domain, customer });
		return row && claimOf(row);
	}

	/** Throws `domain-unknown` for a domain that this customer has not added, whoever else has. */
	get(customer: string, domain: string): Claim {
		const found = this.find(customer, domain);
		if (!found) throw new Problem("domain-unknown", { domain });
		return found;
	}

	page(customer: string, ask: PageAsk): Page<Claim> {
		const sql = `SELECT ${columns} FROM domain WHERE customer = $customer AND (added_at, claim) < ($at, $id)
			ORDER BY added_at DESC, claim DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds, customer }), claimOf);
	}

	/**
	 * From now on the domain is this customer's alone; holding it twice changes nothing. Somebody who held it before
	 * loses it, unless they have a deployment there or hold it for less than `grace` ms: then throws `domain-taken`.
	 */
	hold(customer: string, domain: string, grace: number): Claim {
		return this.#db.transaction(() => {
			const sql = `SELECT ${columns} FROM domain WHERE domain = $domain AND customer <> $customer`;
			const others = this.#db.all<Row>(sql, { domain, customer }).map(claimOf);
			const stays = ({ deployment, heldAt }: Claim) =>
				deployment !== null || (heldAt !== null && this.#now() - heldAt < grace);
			if (others.some(stays)) throw new Problem("domain-taken", { domain });
			this.#db.run("UPDATE domain SET held_at = NULL WHERE domain = $domain AND customer <> $customer", {
				...{ domain, customer },
			});
			this.#db.run(
				"UPDATE domain SET held_at = coalesce(held_at, $now) WHERE domain = $domain AND customer = $customer",
				{ domain, customer, now: this.#now() },
			);
			return this.get(customer, domain);
		});
	}

	/** Starts the days of grace of somebody who holds a domain again: its services have just gone. */
	renew(customer: string, domain: string) {
		const sql =
			"UPDATE domain SET held_at = $now WHERE domain = $domain AND customer = $customer AND held_at IS NOT NULL";
		this.#db.run(sql, { domain, customer, now: this.#now() });
	}

	/** From now on the ownership record says this epoch. It never goes back. */
	raise(customer: string, domain: string, epoch: number): Claim {
		const sql = "UPDATE domain SET epoch = max(epoch, $epoch) WHERE domain = $domain AND customer = $customer";
		this.#db.run(sql, { domain, customer, epoch });
		return this.get(customer, domain);
	}

	/** Forgets a claim of something that has not come after all; one that holds, or has services, stays. Twice is fine. */
	drop(customer: string, domain: string) {
		const sql = `DELETE FROM domain WHERE domain = $domain AND customer = $customer AND held_at IS NULL AND NOT EXISTS (
			SELECT 1 FROM deployment WHERE deployment.domain = $domain AND deployment.customer = $customer AND state NOT IN ('gone', 'arriving')
		)`;
		this.#db.run(sql, { domain, customer });
	}

	/** Forgets a claim. Throws `domain-busy` while there is a deployment. */
	remove(customer: string, domain: string) {
		this.#db.transaction(() => {
			if (this.get(customer, domain).deployment) throw new Problem("domain-busy", { domain });
			this.#db.run("DELETE FROM domain WHERE domain = $domain AND customer = $customer", { domain, customer });
		});
	}

	#idle(customer: string): number {
		const sql = `SELECT count(*) AS idle FROM (SELECT ${columns} FROM domain WHERE customer = $customer) WHERE deployment IS NULL`;
		return this.#db.get<{ idle: number }>(sql, { customer })?.idle ?? 0;
	}
}

function claimOf({ domain, customer, id, created_at, held_at, epoch, deployment }: Row): Claim {
	return { domain, customer, claim: id, addedAt: created_at, heldAt: held_at, epoch, deployment };
}
