import { mkdir, realpath } from "node:fs/promises";
import { getLogger } from "@logtape/logtape";
import type { Vault } from "../../secrets/vault.ts";
import type { Plan, PlannedService } from "../engine.ts";
import { askAt } from "./ask.ts";
import { passingMarker, serviceEnvironment, workshopEnvironment } from "./environment.ts";
import { Homes } from "./homes.ts";
import { LocalService } from "./local-service.ts";
import type { Means } from "./place.ts";
import type { PortRange } from "./ports.ts";
import { powersHere } from "./powers.ts";
import { type Patience, Processes, type UnitStatus } from "./processes.ts";
import type { Recipe } from "./recipe.ts";
import { Rehearsals } from "./rehearsals.ts";
import { LocalWorkshop } from "./workshop.ts";

const logger = getLogger(["fediversity", "engines"]);

export interface LocalEngineOptions {
	/** Tells this node's programs from those of other nodes on the machine: letters, digits, `-` and `_`; never changes. */
	readonly nodeId: string;
	/** Where the services' state lies. */
	readonly folder: string;
	/** Where fetched programs lie; nodes may share it. */
	readonly cache: string;
	readonly ports: PortRange;
	/** Most private memory of one service. */
	readonly memoryMiB: number;
	readonly vault: Vault;
	/** The node's own environment: its search path, proxies and certificates count. */
	readonly environment: Readonly<Record<string, string | undefined>>;
	/** Other recipes, for tests. */
	readonly recipes?: readonly Recipe[];
	readonly patience?: Partial<Patience>;
}

/** All that the engine works with, loaded and made when it is first needed, since a node must answer before. */
export interface Machinery extends Means {
	readonly rehearsals: Rehearsals;
	serve(plan: Plan, planned: PlannedService): LocalService;
}

/** Looks at the machine and makes the engine's folders. `changed` is told what becomes of programs. */
export async function machineryOf(
	options: LocalEngineOptions,
	recipe: (service: string) => Recipe,
	changed: (id: string, status: UnitStatus) => void,
): Promise<Machinery> {
	const { nodeId, ports, vault, memoryMiB, patience } = options;
	const environment = serviceEnvironment(options.environment);
	const powers = await powersHere(environment);
	logger.debug("This machine gives services {powers}", { powers });
	const folder = await made(options.folder, 0o711);
	const tell = (id: string, status: UnitStatus) => {
		if (!rehearsals.changed(id, status)) changed(id, status);
	};
	const means: Means = {
		...{ powers, environment, vault, memoryMiB, passing: passingMarker(nodeId), asking: askAt },
		homes: new Homes({ folder, ports, users: powers.users, seed: nodeId }),
		processes: new Processes({ nodeId, changed: tell, ...(patience && { patience }) }),
		workshop: workshopOf({ ...options, cache: await made(options.cache, 0o755) }),
	};
	const serve = (plan: Plan, planned: PlannedService, by: Means = means) =>
		new LocalService(plan, planned, recipe(planned.name), by);
	const rehearsals = new Rehearsals(means, { recipe, serve });
	return { ...means, rehearsals, serve: (plan, planned) => serve(plan, planned) };
}

/** A workshop alone is enough to say what can run here. */
export function workshopOf({ cache, environment, nodeId }: LocalEngineOptions): LocalWorkshop {
	return new LocalWorkshop(cache, { ...workshopEnvironment(environment), ...passingMarker(nodeId) });
}

/** By its real name: what links lead through may be a place that services cannot enter. */
async function made(folder: string, mode: number): Promise<string> {
	await mkdir(folder, { recursive: true, mode });
	return realpath(folder);
}
