import { randomUUID } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import type { Vouchers } from "./vouchers.ts";

/** What a redeemed voucher gives: one deployment with some of these services (empty: all the node can run). */
export interface Entitlement {
	readonly id: string;
	readonly services: readonly string[];
	readonly diskMiB: number;
	/** What it is used for; null while it is free. */
	readonly deployment: string | null;
	readonly redeemedAt: number;
}

interface Row {
	id: string;
	services: string;
	disk_mib: number;
	deployment: string | null;
	created_at: number;
}

const columns = "id, services, disk_mib, deployment, redeemed_at AS created_at";

/** All entitlements of all customers. Every method may run inside a transaction. */
export class Entitlements {
	readonly #db: Database;
	readonly #vouchers: Vouchers;
	readonly #now: () => number;

	constructor(db: Database, vouchers: Vouchers, now: () => number) {
		this.#db = db;
		this.#vouchers = vouchers;
		this.#now = now;
	}

	/** Turns one use of a voucher into an entitlement. A voucher of many uses is for many people: each may use it once. */
	redeem(customer: string, code: string): Entitlement {
		return this.#db.transaction(() => {
			const { id: voucher, services, diskMiB } = this.#vouchers.use(code);
			const sql = "SELECT 1 FROM entitlement WHERE customer = $customer AND voucher = $voucher";
			if (this.#db.get(sql, { customer, voucher })) throw new Problem("voucher-spent");
			const id = randomUUID();
			const redeemedAt = this.#now();
			this.#db.run(
				`INSERT INTO entitlement (id, customer, voucher, services, disk_mib, redeemed_at)
				 VALUES ($id, $customer, $voucher, $services, $diskMiB, $redeemedAt)`,
				{ id, customer, voucher, services: JSON.stringify(services), diskMiB, redeemedAt },
			);
			return { id, services, diskMiB, deployment: null, redeemedAt };
		});
	}

	/**
	 * Uses a free entitlement of the customer's for a deployment, the wished one or the oldest that fits; call it inside
	 * the deployment's transaction. Throws `voucher-needed` when none is free, `voucher-lacks` when none has the services.
	 */
	claim(customer: string, deployment: string, services: readonly string[], wished?: string): Entitlement {
		return this.#db.transaction(() => {
			const free = this.#free(customer).filter(({ id }) => wished === undefined || id === wished);
			const [first] = free;
			if (!first) throw new Problem("voucher-needed");
			const fitting = free.find((entitlement) => lacking(entitlement, services) === undefined);
			if (!fitting) throw new Problem("voucher-lacks", { service: lacking(first, services) ?? "" });
			this.#db.run("UPDATE entitlement SET deployment = $deployment WHERE id = $id", { deployment, id: fitting.id });
			return { ...fitting, deployment };
		});
	}

	/** Those a deployment may move in with, oldest first: free ones, and those of what has moved away and may come back. */
	forMoveIn(customer: string): Entitlement[] {
		const sql = `SELECT ${columns} FROM entitlement WHERE customer = $customer
			AND (deployment IS NULL OR deployment IN (SELECT id FROM deployment WHERE state = 'moved'))
			ORDER BY deployment IS NOT NULL, redeemed_at, id`;
		return this.#db.all<Row>(sql, { customer }).map(entitlementOf);
	}

	/** Frees what a deployment used, for another one. A second time changes nothing. */
	release(deployment: string): void {
		this.#db.run("UPDATE entitlement SET deployment = NULL WHERE deployment = $deployment", { deployment });
	}

	page(customer: string, ask: PageAsk): Page<Entitlement> {
		const sql = `SELECT ${columns} FROM entitlement WHERE customer = $customer AND (redeemed_at, id) < ($at, $id)
			ORDER BY redeemed_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds, customer }), entitlementOf);
	}

	#free(customer: string): Entitlement[] {
		const sql = `SELECT ${columns} FROM entitlement WHERE customer = $customer AND deployment IS NULL
			ORDER BY redeemed_at, id`;
		return this.#db.all<Row>(sql, { customer }).map(entitlementOf);
	}
}

/** The first of the services that is not included. */
function lacking(entitlement: Entitlement, services: readonly string[]): string | undefined {
	return services.find((service) => entitlement.services.length > 0 && !entitlement.services.includes(service));
}

function entitlementOf({ id, services, disk_mib, deployment, created_at }: Row): Entitlement {
	return { id, services: JSON.parse(services), diskMiB: disk_mib, deployment, redeemedAt: created_at };
}
