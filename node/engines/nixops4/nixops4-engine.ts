import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import type { Agent } from "../../agent/agent.ts";
import { parseKey } from "../../customers/ssh-key.ts";
import { lazily } from "../../lazily.ts";
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
	SignIn,
	Stage,
} from "../engine.ts";
import { endFor } from "../local/end.ts";
import { Turns } from "../local/turns.ts";
import { Addresses } from "./addresses.ts";
import type { Application } from "./application.ts";
import type { Nixops4EngineOptions, ReservedMachine, Workings } from "./means.ts";
import { isSame, keysOf, modules, planned } from "./planned.ts";
import { detailOf, isWell, sightingOf } from "./sighting.ts";
import { type Step, stagesTo } from "./stages.ts";
import { type Standing, WorkingFolder } from "./working-folder.ts";

const log = getLogger(["fediversity", "nixops4"]);

/** Between two looks at whether a service is well, ms. */
const betweenLooks = 1000;
/** How long a secret may take to its machine, ms. */
const adoption = 120_000;
/** How long a service may take to get well by itself once its machine is right, before it is started again, seconds. */
const selfHealing = 30;
/** As whom customers sign in, by nix/access.nix. */
const customerUser = "customer";

/** Makes plans true on NixOS machines: NixOps4 builds and switches them, the agent on each does what takes seconds. */
export class Nixops4Engine implements Engine {
	readonly name = "nixops4";
	readonly #options: Nixops4EngineOptions;
	readonly #applications = new Map<string, Application>();
	readonly #addresses = new Addresses();
	readonly #turns = new Turns();
	readonly #workings: () => Promise<Workings>;
	#isWorking = false;

	/** Touches nothing yet. */
	constructor(options: Nixops4EngineOptions) {
		this.#options = options;
		this.#workings = lazily(() => {
			this.#isWorking = true;
			return options.workings();
		});
	}

	async can({ name, title }: Service): Promise<Ability> {
		if (!modules.includes(name)) {
			const why = `${title} has no NixOS module here; a node with the local engine can run it`;
			return { can: false, code: "needs-engine", missing: "local engine", why };
		}
		const missing = await this.#options.missing();
		if (missing === null) {
			const { [name]: version } = await this.#options.versions();
			return { can: true, ...(version !== undefined && { version }) };
		}
		return { can: false, code: "needs-program", missing, why: `${missing} is not installed on this node` };
	}

	stages(plan: Plan): readonly Stage[] {
		return stagesTo(plan, (step, service, report) => this.#take(plan, step, service, report));
	}

	repair(plan: Plan): readonly Stage[] {
		return stagesTo(plan, (step, service, report) => this.#take(plan, step, service, report), true);
	}

	async apply(plan: Plan, report: Report): Promise<void> {
		for (const stage of this.stages(plan)) await stage.run(report);
	}

	restart(plan: Plan, service: string, report: Report): Promise<void> {
		return this.#turns.take(plan.deployment, async () => {
			const { agent } = this.#machineOf(plan);
			// What is held when this is called off would be held for ever.
			await agent.stop(nameOf(plan, service), report.signal).finally(() => agent.thaw(nameOf(plan, service)));
		});
	}

	setPassword(plan: Plan, service: string, report: Report): Promise<void> {
		return this.#turns.take(plan.deployment, async () => {
			const { id, agent } = this.#machineOf(plan);
			const { deliver } = await this.#workings();
			await deliver(id, { deployment: plan.deployment, service, name: "password" }, report.signal);
			await agent.setPassword(nameOf(plan, service), report.signal);
		});
	}

	async look(plan: Plan): Promise<readonly Sighting[]> {
		return Promise.all(plan.services.map(({ name }) => this.#sighting(plan, name)));
	}

	/** The machine is there and built, and its services are held before they come. */
	prepare(plan: Plan, report: Report): Promise<void> {
		return this.#turns.take(plan.deployment, async () => {
			await this.#folder(plan).remember({ hold: "stopped" });
			await this.#options.machines.reserve(plan.deployment, planned(plan, this.#options.site).machine);
			const { agent } = this.#machineOf(plan);
			for (const { name } of plan.services) await agent.stop(nameOf(plan, name), report.signal);
			await this.#runThrough({ ...plan, mode: "stopped" }, report);
		});
	}

	async places(plan: Plan): Promise<readonly PlacedVolume[]> {
		const { id } = this.#machineOf(plan);
		return plan.services.flatMap(({ name: service }) =>
			(serviceNamed(service)?.volumes ?? []).flatMap(({ name, kind }): PlacedVolume[] =>
				kind === "secret"
					? []
					: [
							{
								service,
								name,
								place: { kind: "remote", of: kind, machine: id, service: nameOf(plan, service), volume: name },
							},
						],
			),
		);
	}

	/** Accounts are in the state already, where machines look for them; the secrets came after the machine was built. */
	async adopt(plan: Plan): Promise<void> {
		const { id } = this.#machineOf(plan);
		const { deliver } = await this.#workings();
		for (const { name: service } of plan.services)
			for (const name of serviceNamed(service)?.secrets ?? [])
				await deliver(id, { deployment: plan.deployment, service, name }, AbortSignal.timeout(adoption));
	}

	/** A machine cannot run a second copy of its services beside them, so nothing is tried. */
	async rehearse(): Promise<Rehearsal> {
		const detail = "Services on a NixOS machine are not started from a copy; what was copied is checked piece by piece";
		return { tried: false, checks: [{ what: "rehearsal", ok: true, detail }] };
	}

	signIn(plan: Plan): SignIn | null {
		const { site, machines } = this.#options;
		const machine = machines.of(plan.deployment);
		const keys = site.customerKeys && this.#folder(plan).standing.applied?.customerKeys;
		if (!machine || !keys) return null;
		const { publicAddress, address, port } = machine;
		const current = keys.join() === keysOf(plan, site).join();
		return { user: customerUser, address: publicAddress ?? address, port, keys: keys.length, current };
	}

	backend(host: string): Backend | undefined {
		return this.#addresses.find(host);
	}

	async recover(plans: readonly Plan[]): Promise<void> {
		// What a killed node had begun goes on without it, and would be spoken to by nobody.
		await endFor((one) => one.unit?.startsWith(`${this.#options.nodeId}/`) ?? false, null);
		for (const plan of plans) this.#publish(plan);
		log.info("{count} deployments are on machines", { count: plans.length });
	}

	async close(): Promise<void> {
		await Promise.all([...this.#applications.values()].map((one) => one.cutOff()));
		if (this.#isWorking) await (await this.#workings().catch(() => null))?.runs.close();
		await this.#options.machines.close();
	}

	/** One step of the way to a plan. Whatever was done already costs next to nothing. */
	async #take(plan: Plan, step: Step, service: string | undefined, report: Report): Promise<void> {
		const { deployment } = plan;
		if (step === "wait") return this.#untilWell(plan, service ?? "", report);
		if (step === "mend") return this.#mend(plan, service ?? "", report);
		if (step === "machine" || step === "system" || step === "again") return this.#towardsServing(plan, step, report);
		await this.#turns.take(deployment, async () => {
			if (step === "rest") return this.#rest(plan, service ?? "", report);
			if (step === "empty") return this.#empty(plan, service ?? "", report);
			await this.#giveBack(plan, report);
		});
	}

	/** Steps that share one run: whoever comes first begins it, and each waits for its own mark in it. `again` believes in none before. */
	async #towardsServing(plan: Plan, step: "machine" | "system" | "again", report: Report): Promise<void> {
		const wanted = planned(plan, this.#options.site);
		const { applied, isHalfway } = this.#folder(plan).standing;
		const known = this.#applications.get(plan.deployment);
		const isTrue = step !== "again" && !isHalfway && isSame(applied, wanted) && (known?.isOver ?? true);
		if (isTrue) {
			await this.#wake(plan, report);
			return this.#publish(plan);
		}
		// One that was called off goes on, and may bring other keys along; a switch that is cut off is worse than a late one.
		if (step === "again" && !known?.isOver && known?.plan.customerKeys.join() !== wanted.customerKeys.join())
			await known?.until("", report).catch(() => report.signal.throwIfAborted());
		const application = await this.#turns.take(plan.deployment, () => this.#begun(plan, wanted, report));
		await application.until(step === "machine" ? "machine machine" : "", report);
	}

	/** A run from its beginning to its end. */
	async #runThrough(plan: Plan, report: Report, machine?: "absent"): Promise<void> {
		const application = await this.#begun(plan, planned(plan, this.#options.site, machine), report);
		await application.until("", report);
	}

	/** The run that is under way to this very plan, or a new one; one to another plan is cut off. */
	async #begun(plan: Plan, wanted: Application["plan"], report: Report): Promise<Application> {
		const known = this.#applications.get(plan.deployment);
		if (known && !known.isOver && isSame(known.plan, wanted)) return known;
		await known?.cutOff();
		report.signal.throwIfAborted();
		const folder = this.#folder(plan);
		await this.#wake(plan, report);
		const { applied, isHalfway, generation: last } = folder.standing;
		// What was true serves on meanwhile, but nobody believes in it any more.
		const standing = { isHalfway: isHalfway || !isSame(applied, wanted), generation: last + 1 };
		const { generation } = await folder.remember(standing);
		const { program, environment, root, deadline, nodeId } = this.#options;
		const [{ runs }, { Application }] = await Promise.all([this.#workings(), import("./application.ts")]);
		const ssh = { ...wanted.ssh, publicKey: parseKey(await this.#options.publicKey()).key };
		const numbered = { ...wanted, generation, ssh };
		await folder.prepare(numbered, root);
		const application = new Application({
			...{ folder: folder.path, plan: numbered, runs, program, environment, deadline },
			unit: `${nodeId}/${plan.deployment}/nixops4`,
			made: async () => {
				await folder.remember({ applied: numbered, isHalfway: false });
				this.#publish(plan);
			},
		});
		this.#applications.set(plan.deployment, application);
		return application;
	}

	/** Lets go what the agent holds, where it holds something. */
	async #wake(plan: Plan, { signal }: Report): Promise<void> {
		const folder = this.#folder(plan);
		const { hold } = folder.standing;
		if (plan.mode !== "serving" || hold === null) return;
		const { agent } = this.#machineOf(plan);
		for (const { name } of plan.services) await agent.thaw(nameOf(plan, name), signal);
		await folder.remember({ hold: null });
	}

	/** The agent holds a service back, in seconds, and that is remembered for all time to come. */
	async #rest(plan: Plan, service: string, { signal }: Report): Promise<void> {
		const hold = plan.mode === "frozen" ? "frozen" : "stopped";
		await this.#applications.get(plan.deployment)?.cutOff();
		const machine = this.#options.machines.of(plan.deployment);
		// Undoing a deployment that never came so far.
		if (!machine) return;
		const folder = this.#folder(plan);
		await folder.remember({ hold });
		this.#publish(plan);
		const agent = this.#options.machines.agent(machine.id);
		const held =
			hold === "frozen" ? agent.freeze(nameOf(plan, service), signal) : agent.stop(nameOf(plan, service), signal);
		await held.catch((error) => {
			// What was never set up there rests already.
			if (!(error instanceof Problem && error.code === "machine-lacks")) throw error;
		});
	}

	/** Erases a service's state on its machine while that still declares where it is. */
	async #empty(plan: Plan, service: string, { signal }: Report): Promise<void> {
		const machine = this.#options.machines.of(plan.deployment);
		if (!machine) return;
		const agent = this.#options.machines.agent(machine.id);
		const { services } = await agent.describe(signal);
		if (services[nameOf(plan, service)]) await agent.erase(nameOf(plan, service), signal);
	}

	/** Nothing of the deployment is left on the machine; another one may have it, and NixOps4 has never heard of either. */
	async #giveBack(plan: Plan, report: Report): Promise<void> {
		const { machines } = this.#options;
		const { states } = await this.#workings();
		const machine = machines.of(plan.deployment);
		if (machine) {
			await this.#runThrough(plan, report);
			const agent = machines.agent(machine.id);
			const { services } = await agent.describe(report.signal);
			const left = Object.keys(services).filter((name) => name.startsWith(`${plan.deployment}/`));
			if (left.length > 0) throw new Problem("machine-keeps", { machine: machine.id, what: left.join(", ") });
			// What held them back has nobody to hold any more, and would lie there for ever.
			for (const { name } of plan.services) await agent.thaw(nameOf(plan, name), report.signal);
			await this.#runThrough(plan, report, "absent");
		}
		await machines.release(plan.deployment);
		this.#applications.delete(plan.deployment);
		this.#addresses.remove(plan.deployment);
		states.remove(plan.deployment);
		this.#folder(plan).remove();
	}

	/** What the run has left as it was, since it is none of NixOS's business: units that were stopped, programs that hang. */
	async #mend(plan: Plan, service: string, report: Report): Promise<void> {
		const { agent } = this.#machineOf(plan);
		await agent.thaw(nameOf(plan, service), report.signal);
		const patience = Math.min(selfHealing, this.#options.readySeconds);
		if (!(await this.#isWellWithin(patience, plan, service, report))) await this.restart(plan, service, report);
	}

	async #untilWell(plan: Plan, service: string, report: Report): Promise<void> {
		const seconds = this.#options.readySeconds;
		if (!(await this.#isWellWithin(seconds, plan, service, report)))
			throw new Problem("service-not-ready", { service, seconds });
	}

	async #isWellWithin(seconds: number, plan: Plan, service: string, report: Report): Promise<boolean> {
		const { agent } = this.#machineOf(plan);
		const late = AbortSignal.timeout(seconds * 1000);
		for (;;) {
			const health = await agent.probe(nameOf(plan, service), report.signal);
			if (isWell(health)) return true;
			report.progress(null, detailOf(health));
			if (late.aborted) return false;
			await new Promise((later) => setTimeout(later, betweenLooks));
			report.signal.throwIfAborted();
		}
	}

	async #sighting(plan: Plan, service: string): Promise<Sighting> {
		try {
			return await sightingOf(this.#machineOf(plan).agent, service, nameOf(plan, service));
		} catch (error) {
			if (!(error instanceof Problem)) throw error;
			const probes = [{ what: "machine", ok: false, detail: error.message, milliseconds: 0 }];
			return { service, health: this.#folder(plan).standing.hold ? "stopped" : "unwell", probes, sizeBytes: null };
		}
	}

	#machineOf({ deployment }: Plan): ReservedMachine & { agent: Agent } {
		const machine = this.#options.machines.of(deployment);
		if (!machine) throw new Problem("machine-none", { deployment });
		return { ...machine, agent: this.#options.machines.agent(machine.id) };
	}

	#folder({ deployment }: Plan): WorkingFolder {
		return new WorkingFolder(this.#options.folder, deployment);
	}

	/** What the gateway is told of the deployment's hosts. */
	#publish(plan: Plan): void {
		const standing = this.#folder(plan).standing;
		const machine = this.#options.machines.of(plan.deployment);
		if (!machine) {
			this.#addresses.remove(plan.deployment);
			return;
		}
		const hosts = plan.services.flatMap(({ hosts }: PlannedService) => hosts);
		this.#addresses.set(plan.deployment, hosts, backendOf(standing, machine.address, this.#options.webPort));
	}
}

const nameOf = ({ deployment }: Plan, service: string) => `${deployment}/${service}`;

/** TLS ends at the gateway; the machine's web server listens for it alone. */
function backendOf({ applied, hold }: Standing, host: string, port: number): Backend {
	if (hold) return { kind: hold, retryAfter: hold === "frozen" ? 30 : 3600 };
	if (applied?.mode !== "serving") return { kind: "starting", retryAfter: 30 };
	return { kind: "up", host, port };
}
