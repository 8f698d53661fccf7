import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Plan, Sighting } from "../engines/engine.ts";
import { type Database, isDuplicate } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import { checkMove, type Deployment, type DeploymentState, modeOf } from "./deployment.ts";

interface Row {
	id: string;
	customer: string;
	domain: string;
	plan: string;
	state: DeploymentState;
	created_at: number;
	kept_until: number | null;
}

export interface Seen extends Sighting {
	readonly at: number;
	/** Since when the service has been as it is. */
	readonly since: number;
	/** Whether the customer has been told of its being unwell. */
	readonly told: boolean;
}

/** Of several at one domain, the one that serves comes first: one that has moved away may lie beside it for a while. */
const servingFirst = "ORDER BY state IN ('moved', 'arriving', 'erasing'), created_at DESC LIMIT 1";

/** All deployments of this node. Every method may run inside a transaction. */
export class Deployments {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/**
	 * Writes down a new deployment; throws `domain-taken` while another one that is not gone has its domain. One that
	 * arrives may come to where another has moved away from.
	 */
	add(plan: Plan, customer: string, state: "starting" | "arriving" = "starting"): Deployment {
		const other = this.at(plan.domain);
		if (other && !(state === "arriving" && other.state === "moved"))
			throw new Problem("domain-taken", { domain: plan.domain });
		try {
			this.#db.run(
				`INSERT INTO deployment (id, customer, domain, plan, state, created_at)
				 VALUES ($id, $customer, $domain, $plan, $state, $now)`,
				{ id: plan.deployment, customer, domain: plan.domain, plan: JSON.stringify(plan), state, now: this.#now() },
			);
		} catch (error) {
			throw isDuplicate(error) ? new Problem("domain-taken", { domain: plan.domain }) : error;
		}
		return this.known(plan.deployment);
	}

	/** One of this customer's; somebody else's is `not-found` like one that never was. */
	get(customer: string, id: string): Deployment {
		const found = this.#one("id = $id AND customer = $customer", { id, customer });
		if (!found) throw new Problem("not-found");
		return found;
	}

	find(id: string): Deployment | undefined {
		return this.#one("id = $id", { id });
	}

	/** One that must be there. */
	known(id: string): Deployment {
		const found = this.find(id);
		if (!found) throw new Error(`There is no deployment ${id}`);
		return found;
	}

	/** The one at a domain that is not gone; first of all one that serves, or did last. */
	at(domain: string): Deployment | undefined {
		return this.#one(`domain = $domain AND state <> 'gone' ${servingFirst}`, { domain });
	}

	/** A customer's, newest first, without those gone. */
	page(customer: string, ask: PageAsk): Page<Deployment> {
		const sql = `SELECT * FROM deployment WHERE customer = $customer AND state <> 'gone' AND (created_at, id) < ($at, $id)
			ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds, customer }), deploymentOf);
	}

	/** Whose host name this is, of those that are not gone; first of all one that serves, or did last. */
	ofHost(host: string): Deployment | undefined {
		const sql = `SELECT deployment.* FROM deployment, json_each(plan, '$.services') AS service, json_each(service.value, '$.hosts') AS host
			WHERE state <> 'gone' AND host.value = $host ${servingFirst}`;
		const row = this.#db.get<Row>(sql, { host });
		return row && deploymentOf(row);
	}

	/** Whether a host name belongs to a deployment that is not gone. */
	hasHost(host: string): boolean {
		return this.ofHost(host) !== undefined;
	}

	/** All in one of these states. */
	inState(...states: DeploymentState[]): Deployment[] {
		return this.#db
			.all<Row>("SELECT * FROM deployment WHERE state IN (SELECT value FROM json_each($states)) ORDER BY created_at", {
				states: JSON.stringify(states),
			})
			.map(deploymentOf);
	}

	/** What the engine should make true after a start: every deployment that is not gone. */
	plans(): Plan[] {
		return this.#db
			.all<Row>("SELECT * FROM deployment WHERE state <> 'gone' ORDER BY created_at")
			.map((row) => deploymentOf(row).plan);
	}

	move(id: string, to: DeploymentState, keptUntil: number | null = null): void {
		const { state } = this.known(id);
		if (state === to) return;
		checkMove(state, to);
		this.#db.run("UPDATE deployment SET state = $to, kept_until = $keptUntil WHERE id = $id", { id, to, keptUntil });
	}

	/** Writes down what a look at a service saw; answers what the last look saw. */
	sight(id: string, sighting: Sighting): Seen | undefined {
		const before = this.sightings(id).find((seen) => seen.service === sighting.service);
		const same = before?.health === sighting.health;
		this.#db.run(
			`INSERT INTO sighting (deployment, service, health, probes, size_bytes, at, since)
			 VALUES ($id, $service, $health, $probes, $size, $now, $now)
			 ON CONFLICT (deployment, service) DO UPDATE SET
			 health = $health, probes = $probes, size_bytes = coalesce($size, size_bytes), at = $now, since = $since`,
			{
				id,
				service: sighting.service,
				health: sighting.health,
				probes: JSON.stringify(sighting.probes),
				size: sighting.sizeBytes,
				now: this.#now(),
				since: same ? before.since : this.#now(),
			},
		);
		return before;
	}

	markTold(id: string, service: string, told: boolean): void {
		this.#db.run("UPDATE sighting SET told = $told WHERE deployment = $id AND service = $service", {
			id,
			service,
			told: Number(told),
		});
	}

	sightings(id: string): Seen[] {
		return this.#db
			.all<{
				service: string;
				health: Sighting["health"];
				probes: string;
				size_bytes: number | null;
				at: number;
				since: number;
				told: number;
			}>("SELECT * FROM sighting WHERE deployment = $id", { id })
			.map((row) => ({
				service: row.service,
				health: row.health,
				probes: JSON.parse(row.probes),
				sizeBytes: row.size_bytes,
				at: row.at,
				since: row.since,
				told: row.told === 1,
			}));
	}

	/** Whether the first account's password of a service has been shown. */
	isShown(id: string, service: string): boolean {
		return (
			this.#db.get("SELECT 1 FROM credential WHERE deployment = $id AND service = $service", { id, service }) !==
			undefined
		);
	}

	/** True for the one caller that may show the password now; false for every later one. */
	markShown(id: string, service: string): boolean {
		const { changes } = this.#db.run(
			`INSERT INTO credential (deployment, service, shown_at) VALUES ($id, $service, $now) ON CONFLICT DO NOTHING`,
			{ id, service, now: this.#now() },
		);
		return changes === 1;
	}

	#one(where: string, parameters: Record<string, string>): Deployment | undefined {
		const row = this.#db.get<Row>(`SELECT * FROM deployment WHERE ${where}`, parameters);
		return row && deploymentOf(row);
	}
}

function deploymentOf(row: Row): Deployment {
	return {
		id: row.id,
		customer: row.customer,
		domain: row.domain,
		plan: { ...JSON.parse(row.plan), mode: modeOf(row.state) },
		state: row.state,
		createdAt: row.created_at,
		keptUntil: row.kept_until,
	};
}
