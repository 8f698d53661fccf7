import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { serviceNamed } from "../../services/catalogue.ts";
import type { Service } from "../../services/service.ts";
import type {
	Ability,
	Backend,
	Engine,
	PlacedVolume,
	Plan,
	PlannedService,
	Rehearsal,
	Report,
	Sighting,
	Stage,
} from "../engine.ts";
import { Addresses } from "./addresses.ts";
import type { LocalService } from "./local-service.ts";
import type { LocalEngineOptions, Machinery } from "./machinery.ts";
import type { Place } from "./place.ts";
import type { Recipe } from "./recipe.ts";
import { recipes as ours } from "./recipes.ts";
import { Revival } from "./revival.ts";
import { stagesTo, stepsBack } from "./stages.ts";
import { Turns } from "./turns.ts";
import type { Unit } from "./unit.ts";
import type { Versions } from "./versions.ts";

export type { LocalEngineOptions };

const logger = getLogger(["fediversity", "engines"]);

/** Makes plans true with watched processes on this machine. */
export class LocalEngine implements Engine {
	readonly name = "local";
	readonly #options: LocalEngineOptions;
	readonly #recipes: ReadonlyMap<string, Recipe>;
	readonly #services = new Map<string, LocalService>();
	readonly #addresses = new Addresses<LocalService>();
	readonly #turns = new Turns();
	readonly #revival = new Revival<LocalService>((service, report) => this.#revive(service, report));
	#machinery: Promise<Machinery> | null = null;
	#versions: Versions | null = null;

	/** Touches nothing yet, so that a node starts fast; the machine is looked at when it is first needed. */
	constructor(options: LocalEngineOptions) {
		this.#options = options;
		this.#recipes = new Map((options.recipes ?? ours).map((recipe) => [recipe.service, recipe]));
	}

	async can({ name, title }: Service): Promise<Ability> {
		const recipe = this.#recipes.get(name);
		if (recipe) return this.#ableTo(recipe);
		const why = `${title} needs a whole NixOS machine; a node with the NixOps4 engine can run it`;
		return { can: false, code: "needs-engine", missing: "NixOps4", why };
	}

	stages(plan: Plan): readonly Stage[] {
		return this.#stages(plan);
	}

	repair(plan: Plan): readonly Stage[] {
		return this.#stages(plan, stepsBack);
	}

	async apply(plan: Plan, report: Report): Promise<void> {
		const stages = this.stages(plan);
		if (plan.mode === "serving") return inOrder(stages, report);
		// None needs another one to end, and what is frozen is not to rest for long.
		const ofEach = Map.groupBy(stages, ({ service }) => service);
		const ends = await Promise.allSettled([...ofEach.values()].map((own) => inOrder(own, report)));
		for (const end of ends) if (end.status === "rejected") throw end.reason;
	}

	restart(plan: Plan, service: string, report: Report): Promise<void> {
		return this.#care(plan, service, async (found) => {
			if (found.mode !== "serving") throw new Problem("deployment-state", { state: found.mode });
			await found.restart(report);
		});
	}

	setPassword(plan: Plan, service: string, report: Report): Promise<void> {
		return this.#care(plan, service, (found) => found.setPassword(report));
	}

	async look(plan: Plan): Promise<readonly Sighting[]> {
		const machinery = await this.#ready();
		return Promise.all(plan.services.map(({ name }) => this.#asItIs(plan, name, machinery).look()));
	}

	async prepare(plan: Plan, report: Report): Promise<void> {
		for (const { name } of plan.services) await this.#care(plan, name, (found) => found.get(report));
	}

	async places(plan: Plan): Promise<readonly PlacedVolume[]> {
		const all = plan.services.map(({ name }) => this.#care(plan, name, (found) => found.volumes()));
		return (await Promise.all(all)).flat();
	}

	async adopt(plan: Plan): Promise<void> {
		for (const { name } of plan.services) await this.#care(plan, name, (found) => found.adopt());
	}

	async rehearse(
		plan: Plan,
		fill: (volumes: readonly PlacedVolume[]) => Promise<void>,
		report: Report,
	): Promise<Rehearsal> {
		const { rehearsals } = await this.#ready();
		return this.#turns.take(`${plan.deployment}-rehearsal`, () => rehearsals.rehearse(plan, fill, report));
	}

	/** Services share this machine, which is nobody's alone. */
	signIn(): null {
		return null;
	}

	backend(host: string): Backend | undefined {
		return this.#addresses.find(host)?.backend();
	}

	async recover(plans: readonly Plan[]): Promise<void> {
		const machinery = await this.#ready();
		const all = plans.flatMap((plan) => plan.services.flatMap(({ name }) => this.#knownHere(plan, name, machinery)));
		const wanted = all.filter((service) => service.mode === "serving" && service.isSetUp);
		const units = await Promise.all(wanted.map(({ place }) => unitAt(place).catch(() => null)));
		const adopted = await machinery.processes.adopt(units.filter((unit): unit is Unit => unit !== null));
		await machinery.rehearsals.forgetLeftovers();
		const down = wanted.filter(({ id }) => !adopted.includes(id));
		logger.info("Took over {adopted} running services, starting {down}", {
			adopted: adopted.length,
			down: down.length,
		});
		this.#revival.begin(down);
	}

	async close(): Promise<void> {
		await this.#revival.close();
		// Nothing runs that was never prepared.
		const machinery = await this.#machinery?.catch(() => null);
		await machinery?.processes.close();
	}

	#stages(plan: Plan, steps?: typeof stepsBack): Stage[] {
		return stagesTo(
			plan,
			(service) => this.#recipe(service),
			(service) => serviceNamed(service)?.title ?? service,
			(...call) => this.#reach(...call),
			steps,
		);
	}

	async #ableTo(recipe: Recipe): Promise<Ability> {
		const [{ workshopOf }, { Versions }] = await Promise.all([import("./machinery.ts"), import("./versions.ts")]);
		const shop = workshopOf(this.#options);
		const ability = await recipe.able(shop);
		if (!ability.can || ability.version) return ability;
		this.#versions ??= new Versions();
		const version = await this.#versions.of(recipe, shop);
		return { ...ability, ...(version && { version }) };
	}

	#recipe(service: string): Recipe {
		const recipe = this.#recipes.get(service);
		if (!recipe) throw new Problem("service-unknown", { service });
		return recipe;
	}

	/** The service as this plan wants it from now on. */
	#asPlanned(plan: Plan, name: string, machinery: Machinery): LocalService {
		const known = this.#services.get(`${plan.deployment}/${name}`);
		const planned = plannedIn(plan, name);
		const isSame = known && JSON.stringify(known.planned) === JSON.stringify(planned);
		const service = isSame ? known : this.#made(plan, planned, machinery);
		service.mode = plan.mode;
		if (known) this.#addresses.remove(known);
		if (plan.mode !== "absent") this.#addresses.add(service);
		return service;
	}

	/** None where there is no recipe any more: that must not keep the other services down. */
	#knownHere(plan: Plan, name: string, machinery: Machinery): LocalService[] {
		if (this.#recipes.has(name)) return [this.#asPlanned(plan, name, machinery)];
		logger.error("{service} cannot run on this node any more", { service: `${plan.deployment}/${name}` });
		return [];
	}

	/** The service as it was last planned; what the caller's plan says of its mode may be old. */
	#asItIs(plan: Plan, name: string, machinery: Machinery): LocalService {
		return this.#services.get(`${plan.deployment}/${name}`) ?? this.#made(plan, plannedIn(plan, name), machinery);
	}

	#made(plan: Plan, planned: PlannedService, machinery: Machinery): LocalService {
		const service = machinery.serve(plan, planned);
		this.#services.set(service.id, service);
		service.changed(machinery.processes.status(service.id));
		return service;
	}

	async #reach(plan: Plan, name: string, work: (service: LocalService) => Promise<void>): Promise<void> {
		const machinery = await this.#ready();
		await this.#turns.take(`${plan.deployment}/${name}`, async () => {
			const service = this.#asPlanned(plan, name, machinery);
			await work(service);
			if (service.mode === "absent" && !service.isSetUp) this.#services.delete(service.id);
		});
	}

	async #care<Result>(plan: Plan, name: string, work: (service: LocalService) => Promise<Result>): Promise<Result> {
		const machinery = await this.#ready();
		return this.#turns.take(`${plan.deployment}/${name}`, () => work(this.#asItIs(plan, name, machinery)));
	}

	async #revive(service: LocalService, report: Report): Promise<void> {
		await this.#turns.take(service.id, async () => {
			if (service.mode !== "serving" || this.#services.get(service.id) !== service) return;
			await service.get(report);
			await service.configure(report);
			await service.start(report);
		});
	}

	#ready(): Promise<Machinery> {
		this.#machinery ??= this.#prepared();
		this.#machinery.catch(() => {
			this.#machinery = null;
		});
		return this.#machinery;
	}

	async #prepared(): Promise<Machinery> {
		const { machineryOf } = await import("./machinery.ts");
		return machineryOf(
			this.#options,
			(service) => this.#recipe(service),
			(id, status) => this.#services.get(id)?.changed(status),
		);
	}
}

async function inOrder(stages: readonly Stage[], report: Report): Promise<void> {
	for (const stage of stages) await stage.run(report);
}

async function unitAt(place: Place): Promise<Unit> {
	return place.unit(await place.home(null));
}

function plannedIn(plan: Plan, name: string): PlannedService {
	const planned = plan.services.find((one) => one.name === name);
	if (!planned) throw new Problem("service-unknown", { service: name });
	return planned;
}
