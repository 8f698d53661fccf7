import { randomUUID } from "node:crypto";
import { Problem } from "#protocol/problem.ts";
import type { Customer } from "../customers/customer.ts";
import type { Engine, Plan } from "../engines/engine.ts";
import type { Vault } from "../secrets/vault.ts";
import { type Service, signInName } from "../services/service.ts";
import type { Database } from "../store/database.ts";
import { type CareInput, passwordNames } from "./care.ts";
import type { Input } from "./deploy.ts";
import type { Deployment, DeploymentState } from "./deployment.ts";
import type { Deployments } from "./deployments.ts";
import type { History, HistoryKind } from "./history.ts";
import { chosen, planOf } from "./plan.ts";

export interface Wish {
	readonly domain: string;
	readonly services: readonly string[];
	readonly username: string;
	readonly entitlement?: string | undefined;
}

export interface Accepted {
	readonly deployment: string;
	readonly job: string;
}

export interface RequestParts {
	readonly db: Database;
	readonly deployments: Deployments;
	readonly history: History;
	readonly engine: Engine;
	readonly vault: Vault;
	readonly catalogue: readonly Service[];
	readonly originOf: (host: string) => string;
	/** Adds the domain to the customer's, or throws why it cannot be; answers it as DNS has it. */
	addDomain(customer: string, domain: string): string;
	/** Throws `domain-not-pointed` when the customer must set records first. */
	checkPointed(customer: string, domain: string, hosts: readonly { host: string; service: string }[]): Promise<void>;
	/** Uses up what a voucher gave, for this deployment; throws the voucher problems. */
	claim(customer: string, deployment: string, services: readonly string[], entitlement?: string): void;
	/** Writes down a job; throws `deployment-busy` while another is under way. */
	startJob(kind: string, input: object, about: { deployment: string; customer: string }): string;
}

/** What a customer may ask of deployments. Each request is checked, then written down with its job in one transaction. */
export class Requests {
	readonly #parts: RequestParts;

	constructor(parts: RequestParts) {
		this.#parts = parts;
	}

	async deploy(customer: Customer, wish: Wish): Promise<Accepted> {
		const { catalogue, originOf, deployments } = this.#parts;
		const services = chosen(wish.services, catalogue);
		await this.#checkAbilities(services);
		const domain = this.#parts.addDomain(customer.id, wish.domain);
		if (deployments.at(domain)) throw new Problem("domain-taken", { domain });
		const owner = { username: wish.username, email: customer.email };
		const plan = planOf({ deployment: randomUUID(), domain, services: wish.services, owner }, services, originOf);
		await this.#parts.checkPointed(customer.id, domain, hostsOf(plan));
		return this.#parts.db.transaction(() => {
			deployments.add(plan, customer.id);
			this.#parts.claim(customer.id, plan.deployment, names(plan), wish.entitlement);
			return this.#start("deploy", "deploy-asked", { plan }, customer.id, { services: titles(services) });
		});
	}

	/** Stops serving and keeps everything for the days of grace. `typed` must be the domain. */
	remove(customer: Customer, id: string, typed: string): Accepted {
		return this.#change(customer, id, { from: "serving", to: "removing", kind: "remove", typed });
	}

	restore(customer: Customer, id: string): Accepted {
		return this.#change(customer, id, { from: "kept", to: "restoring", kind: "restore" });
	}

	erase(customer: Customer, id: string, typed: string): Accepted {
		return this.#change(customer, id, { from: "kept", to: "erasing", kind: "erase", typed });
	}

	/** Begins erasing what has been kept long enough; answers how many that were. Those with work under way wait. */
	eraseDue(now: number, needed: ReadonlySet<string> = new Set()): number {
		const due = this.#parts.deployments
			.inState("kept", "moved")
			.filter(({ id, keptUntil }) => keptUntil !== null && keptUntil <= now && !needed.has(id));
		return due.filter(({ id }) => this.#isErasing(id)).length;
	}

	/** One that is still at work, such as on its way to another node, waits and keeps nobody else waiting. */
	#isErasing(id: string): boolean {
		try {
			this.eraseKept(id);
			return true;
		} catch (error) {
			if (error instanceof Problem && error.code === "deployment-busy") return false;
			throw error;
		}
	}

	/** Begins erasing what is only kept any more. A second call changes nothing. */
	eraseKept(id: string): void {
		this.#parts.db.transaction(() => {
			const { state, plan, customer } = this.#parts.deployments.known(id);
			if (state !== "kept" && state !== "moved") return;
			this.#parts.deployments.move(id, "erasing");
			this.#start("erase", "erase-due", { plan }, customer);
		});
	}

	/** One service, or all of them one after the other. */
	restart(customer: Customer, id: string, service?: string): Accepted {
		const { plan } = this.#serving(customer, id);
		const services = service === undefined ? names(plan) : [this.#planned(plan, service)];
		return this.#parts.db.transaction(() =>
			this.#start("restart", "restart-asked", { plan, services }, customer.id, { services: services.join(", ") }),
		);
	}

	/** Sets everything up again as it was planned; whoever asked for it, the work is the customer's. */
	repair({ id: customer }: Pick<Customer, "id">, id: string, asked: "repair-asked" | "repair-by-staff"): Accepted {
		const { plan } = this.#inState(customer, id, "serving");
		return this.#parts.db.transaction(() => this.#start("repair", asked, { plan }, customer));
	}

	/** The password travels through the vault; job and journal know only whose it is. */
	async setPassword(customer: Customer, id: string, service: string, password: string): Promise<Accepted> {
		const { plan } = this.#serving(customer, id);
		this.#checkAccount(plan, service);
		const { vault, db, deployments } = this.#parts;
		const wished = `${passwordNames(id, service).valid}-wished-${randomUUID()}`;
		await vault.put(wished, password);
		try {
			return db.transaction(() => {
				deployments.markShown(id, service);
				const input = { plan, services: [service], wished };
				return this.#start("set-password", "set-password-asked", input, customer.id, { service });
			});
		} catch (error) {
			await vault.remove(wished);
			throw error;
		}
	}

	/** The first account's password, for the one request that comes first. */
	async reveal(customer: Customer, id: string, service: string) {
		const { plan } = this.#serving(customer, id);
		this.#checkAccount(plan, service);
		const password = await this.#parts.vault.get(passwordNames(id, service).valid);
		if (password === undefined) throw new Problem("credentials-none", { service });
		const { deployments, history, db } = this.#parts;
		db.transaction(() => {
			if (!deployments.markShown(id, service)) throw new Problem("credentials-shown");
			history.add(id, "password-shown", { service });
		});
		const planned = plan.services.find((one) => one.name === service);
		if (!planned) throw new Problem("service-unknown", { service });
		const known = this.#parts.catalogue.find((one) => one.name === service);
		return { username: signInName(known, planned), password, address: planned.origin };
	}

	#change(
		customer: Customer,
		id: string,
		change: { from: DeploymentState; to: DeploymentState; kind: "remove" | "restore" | "erase"; typed?: string },
	): Accepted {
		return this.#parts.db.transaction(() => {
			const deployment = this.#inState(customer.id, id, change.from);
			if (change.typed !== undefined && change.typed.trim().toLowerCase() !== deployment.domain)
				throw new Problem("confirmation-wrong", { domain: deployment.domain });
			const accepted = this.#start(change.kind, `${change.kind}-asked`, { plan: deployment.plan }, customer.id);
			this.#parts.deployments.move(id, change.to, deployment.keptUntil);
			return accepted;
		});
	}

	#start(
		kind: string,
		asked: HistoryKind,
		input: Input & Partial<CareInput>,
		customer: string,
		params: Record<string, string> = {},
	): Accepted {
		const { deployment } = input.plan;
		const job = this.#parts.startJob(kind, input, { deployment, customer });
		this.#parts.history.add(deployment, asked, params, job);
		return { deployment, job };
	}

	async #checkAbilities(services: readonly Service[]) {
		for (const service of services) {
			const ability = await this.#parts.engine.can(service);
			if (!ability.can) throw new Problem("service-unavailable", { service: service.title, reason: ability.why });
		}
	}

	#checkAccount(plan: Plan, service: string) {
		const name = this.#planned(plan, service);
		const known = this.#parts.catalogue.find((one) => one.name === name);
		if (known?.account === "none") throw new Problem("credentials-none", { service: known.title });
	}

	#planned(plan: Plan, service: string): string {
		if (!names(plan).includes(service)) throw new Problem("service-unknown", { service });
		return service;
	}

	#serving(customer: Customer, id: string): Deployment {
		return this.#inState(customer.id, id, "serving");
	}

	#inState(customer: string, id: string, wanted: DeploymentState): Deployment {
		const deployment = this.#parts.deployments.get(customer, id);
		if (deployment.state !== wanted) throw new Problem("deployment-state", { state: deployment.state });
		return deployment;
	}
}

/** Every host name a plan uses, with the service behind it. */
export function hostsOf(plan: Plan) {
	return plan.services.flatMap(({ name, hosts }) => hosts.map((host) => ({ host, service: name })));
}

const names = (plan: Plan) => plan.services.map(({ name }) => name);
const titles = (services: readonly Service[]) => services.map(({ title }) => title).join(", ");
