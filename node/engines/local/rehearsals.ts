import { basename, dirname } from "node:path";
import { getLogger } from "@logtape/logtape";
import { MemoryVault } from "../../secrets/memory-vault.ts";
import type { PlacedVolume, Plan, PlannedService, Rehearsal, Report } from "../engine.ts";
import { loopbackPort } from "./depot.ts";
import type { LocalService } from "./local-service.ts";
import { eraseRooms, type Means } from "./place.ts";
import type { UnitStatus } from "./processes.ts";
import type { Recipe } from "./recipe.ts";
import { Seclusion } from "./seclusion.ts";
import { stepsToServe } from "./stages.ts";

const logger = getLogger(["fediversity", "engines"]);

/** Marks deployments that are only for a rehearsal; no other deployment's id ends so. */
const ending = "-rehearsal";

type Check = Rehearsal["checks"][number];
type Fill = (volumes: readonly PlacedVolume[]) => Promise<void>;

/** How services are made and brought up here, with these means in place of the usual ones. */
export interface Making {
	recipe(service: string): Recipe;
	serve(plan: Plan, planned: PlannedService, means: Means): LocalService;
}

const refused: Rehearsal = {
	tried: false,
	checks: [
		{
			what: "network",
			ok: false,
			detail:
				"This machine cannot shut programs off from the network, so the services were not started for a trial: they could have reached others under the domain's name",
		},
	],
};

/**
 * Tries services with copies of their state, under other ids and in a network of their own. Their secrets are made anew
 * for each trial, since the true ones come last of all.
 */
export class Rehearsals {
	readonly #means: Means;
	readonly #making: Making;
	readonly #services = new Map<string, LocalService>();

	constructor(means: Means, making: Making) {
		this.#means = means;
		this.#making = making;
	}

	/** Whether it was one of these. */
	changed(id: string, status: UnitStatus): boolean {
		const service = this.#services.get(id);
		service?.changed(status);
		return service !== undefined;
	}

	/** One at a time for each deployment. */
	async rehearse(plan: Plan, fill: Fill, report: Report): Promise<Rehearsal> {
		const { environment, passing } = this.#means;
		const seclusion = await Seclusion.open({ ...environment, ...passing });
		if (!seclusion) return refused;
		const services = this.#servicesOf(plan, seclusion);
		try {
			const volumes = (await Promise.all(services.map((service) => service.volumes()))).flat();
			await fill(volumes);
			await seclusion.letThrough(volumes.flatMap(({ place }) => loopbackPort(place) ?? []));
			const checks = await this.#tryAll(services, report);
			for (const service of services) await this.#keepWhatLasts(plan, service);
			return { tried: true, checks };
		} finally {
			await this.#forget(services);
			await seclusion.close();
		}
	}

	/** Removes what trials of a node that was killed have left; their programs have been ended. */
	async forgetLeftovers(): Promise<void> {
		const { homes } = this.#means;
		const isTrial = (deployment: string) => deployment.endsWith(ending);
		for (const id of homes.ids.filter((one) => isTrial(dirname(one)))) await this.#eraseRooms(id);
		await homes.eraseDeployments(isTrial);
	}

	async #eraseRooms(id: string): Promise<void> {
		try {
			await eraseRooms(this.#making.recipe(basename(id)), id);
		} catch (error) {
			// A server that is down must not keep this node from starting.
			logger.error("What a trial of {service} kept elsewhere could not be cleared away: {error}", {
				service: id,
				error,
			});
		}
	}

	#servicesOf(plan: Plan, { asking, network }: Seclusion): LocalService[] {
		const means = { ...this.#means, vault: new MemoryVault(), asking, network };
		const trial = { ...plan, deployment: `${plan.deployment}${ending}`, mode: "serving" as const };
		const services = plan.services.map((planned) => this.#making.serve(trial, planned, means));
		for (const service of services) this.#services.set(service.id, service);
		return services;
	}

	/** So that the service need not make it again when it comes, while everybody waits. */
	async #keepWhatLasts({ deployment }: Plan, service: LocalService): Promise<void> {
		const { homes } = this.#means;
		const { lasting = [], ports } = this.#making.recipe(service.planned.name);
		if (lasting.length === 0) return;
		await service.stop();
		const to = `${deployment}/${service.planned.name}`;
		await homes.open(to, ports);
		for (const path of lasting) await homes.passOn(path, service.id, to);
	}

	async #forget(services: readonly LocalService[]): Promise<void> {
		for (const service of services) {
			const quietly: Report = { signal: new AbortController().signal, progress: () => {}, log: () => {} };
			await service.erase(quietly).catch((error) => {
				logger.error("A trial of {service} could not be cleared away: {error}", { service: service.id, error });
			});
			this.#services.delete(service.id);
		}
	}

	/** All of them first run side by side, since some need others. */
	async #tryAll(services: readonly LocalService[], report: Report): Promise<Check[]> {
		const checks: Check[] = [];
		const running: LocalService[] = [];
		for (const [n, service] of services.entries()) {
			report.progress(n / services.length, service.planned.name);
			const failure = await this.#bringUp(service, report);
			if (failure === null) running.push(service);
			else checks.push({ what: `${service.planned.name}: start`, ok: false, detail: failure });
		}
		for (const service of running)
			for (const { what, ok, detail } of await service.lookThrough(report))
				checks.push({ what: `${service.planned.name}: ${what}`, ok, detail });
		return checks;
	}

	/** On the usual way, with the account that came with the state. Null, or why it does not run. */
	async #bringUp(service: LocalService, report: Report): Promise<string | null> {
		try {
			await service.adopt();
			const steps = stepsToServe(this.#making.recipe(service.planned.name)).filter((step) => step !== "check");
			for (const step of steps) await service[step](report);
			return null;
		} catch (error) {
			report.signal.throwIfAborted();
			return (error as Error).message;
		}
	}
}
