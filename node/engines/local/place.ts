import { basename, dirname, join } from "node:path";
import { Problem } from "#protocol/problem.ts";
import type { Vault } from "../../secrets/vault.ts";
import type { Place as VolumePlace } from "../../volumes/volume.ts";
import type { PlacedVolume, Plan, PlannedService, Report } from "../engine.ts";
import { confine } from "./confine.ts";
import { LocalHands } from "./hands.ts";
import type { HomeRecord, Homes } from "./homes.ts";
import { launch } from "./launch.ts";
import { newPassword, newSecret } from "./password.ts";
import type { Powers } from "./powers.ts";
import type { Processes } from "./processes.ts";
import type { Ask, Home, Program, Recipe } from "./recipe.ts";
import { runToEnd } from "./run.ts";
import type { Asking } from "./seclusion.ts";
import type { Confinement, Network, Unit } from "./unit.ts";
import type { LocalWorkshop } from "./workshop.ts";

/** What services are made with; the same for all of a node. */
export interface Means {
	readonly homes: Homes;
	readonly processes: Processes;
	readonly workshop: LocalWorkshop;
	readonly vault: Vault;
	readonly powers: Powers;
	/** What every service finds in its environment. */
	readonly environment: Readonly<Record<string, string>>;
	/** Marks programs that only run for a moment, so that those left by a killed node are found and ended. */
	readonly passing: Readonly<Record<string, string>>;
	readonly memoryMiB: number;
	/** How one gets at what services say. */
	readonly asking: Asking;
	/** Where services run, if not in the machine's own network. */
	readonly network?: Network;
}

/** The place of one service on this machine: its program, its home, and what its recipe works with there. */
export class Place {
	readonly id: string;
	readonly #plan: Plan;
	readonly #planned: PlannedService;
	readonly #recipe: Recipe;
	readonly #means: Means;
	#program: Program | undefined;

	constructor(plan: Plan, planned: PlannedService, recipe: Recipe, means: Means) {
		this.id = `${plan.deployment}/${planned.name}`;
		this.#plan = plan;
		this.#planned = planned;
		this.#recipe = recipe;
		this.#means = means;
	}

	get state(): string {
		return this.#means.homes.state(this.id);
	}

	get log(): string {
		return this.#means.homes.log(this.id);
	}

	/** What is remembered of it; undefined before it was opened for the first time. */
	get known(): HomeRecord | undefined {
		return this.#means.homes.get(this.id);
	}

	get record(): HomeRecord {
		if (!this.known) throw new Error(`${this.id} has no home yet`);
		return this.known;
	}

	/** Where it listens, for people. */
	get listens(): string {
		const all = Object.entries(this.record.ports).map(([name, port]) => `${port} (${name})`);
		return `listening on port ${all.join(", ")} of this machine`;
	}

	/** Makes its folder, ports and user, if they are not there already. */
	open(): Promise<HomeRecord> {
		return this.#means.homes.open(this.id, this.#recipe.ports);
	}

	remember(change: Partial<Omit<HomeRecord, "id">>): Promise<HomeRecord> {
		return this.#means.homes.change(this.record, change);
	}

	/** Where its volumes lie or belong; the folders around them are made by its own user. */
	async volumes(): Promise<readonly Omit<PlacedVolume, "service">[]> {
		const kept = this.#recipe.volumes.filter(({ kind }) => kind !== "secret");
		const volumes = await Promise.all(kept.map(async ({ name }) => ({ name, place: await this.#volume(name) })));
		const around = new Set(volumes.flatMap(({ place }) => ("path" in place ? [dirname(place.path)] : [])));
		around.delete(this.state);
		around.delete(dirname(this.state));
		if (around.size > 0) await this.#makeFolders([...around]);
		return volumes;
	}

	/** Looks anew for its program, and gets it if it is not there. */
	async getProgram(report: Report): Promise<void> {
		this.#program = undefined;
		const { path, version } = await this.#found(report);
		report.log(`The program ${basename(path)} is here${version ? `, version ${version}` : ""}`);
	}

	/** Without a report nobody waits, so nothing is fetched: Problem program-missing. */
	async home(report: Report | null): Promise<Home> {
		const program = await this.#found(report);
		const { ports } = this.record;
		return {
			...this.#planned,
			deployment: this.#plan.deployment,
			domain: this.#plan.domain,
			host: this.#planned.hosts[0] ?? this.#plan.domain,
			state: this.state,
			program,
			port: (name = this.#recipe.ports[0]) => {
				const port = ports[name];
				if (port === undefined) throw new Error(`${this.id} has no port called ${name}`);
				return port;
			},
			place: (name) => this.#volume(name),
			secret: (name) => this.#means.vault.obtain(`${this.id}/${name}`, newSecret),
		};
	}

	async hands(home: Home, report: Report, changing?: () => Promise<void>): Promise<LocalHands> {
		const { passing, vault } = this.#means;
		const confinement = await this.#confinement(home);
		const ask = this.ask(home, report.signal);
		const env = { ...this.#environment(home), ...passing };
		return new LocalHands({ home, report, confinement, vault, ask, env, ...(changing && { changing }) });
	}

	/** Asks it as the gateway would; the signal ends the asking. */
	ask({ origin, port }: Home, signal?: AbortSignal): Ask {
		return this.#means.asking(origin, port, signal);
	}

	/** What the keeper should run. */
	async unit(home: Home): Promise<Unit> {
		const command = this.#recipe.command(home);
		return {
			id: this.id,
			argv: command.argv,
			env: { ...this.#environment(home), ...command.env },
			folder: home.state,
			settings: this.record.settings ?? "",
			log: this.log,
			stop: this.#recipe.stop,
			confinement: await this.#confinement(home),
		};
	}

	/** The first account's, made up if nobody has set one. */
	password(): Promise<string> {
		return this.#means.vault.obtain(`${this.id}/password`, newPassword);
	}

	/** Removes its state, wherever that is, and its secrets, for good. */
	async erase(): Promise<void> {
		await eraseRooms(this.#recipe, this.id);
		await this.#means.homes.erase(this.id);
		await this.#means.vault.remove(`${this.id}/`);
	}

	async #volume(name: string): Promise<VolumePlace> {
		const volume = this.#recipe.volumes.find((one) => one.name === name);
		if (volume && "depot" in volume) return volume.depot.open(`${this.id}/${name}`);
		if (!volume || volume.kind === "secret") throw new Error(`${this.id} has no volume called ${name}`);
		return { kind: volume.kind, path: join(this.state, volume.path), owner: this.record.user };
	}

	async #found(report: Report | null): Promise<Program> {
		const { workshop } = this.#means;
		this.#program ??= await this.#recipe.find(workshop);
		if (!this.#program && report) this.#program = await this.#recipe.obtain(workshop, report);
		if (!this.#program)
			throw new Problem("program-missing", { program: this.#planned.name, fix: "restart the service to get it" });
		return this.#program;
	}

	#confinement(home: Home): Promise<Confinement> {
		const { ownSharedMemory = false, limits = {}, reads = [] } = this.#recipe.command(home);
		const folders = [home.state, ...(home.program.folder ? [home.program.folder] : []), ...reads];
		const { powers, memoryMiB, network } = this.#means;
		return confine(powers, { user: this.record.user, folders, memoryMiB, ownSharedMemory, limits, network });
	}

	/** By its own user, as everything in its folder: it may have put a link where we expect a folder. */
	async #makeFolders(folders: readonly string[]): Promise<void> {
		const { powers, memoryMiB, environment, passing } = this.#means;
		const wanted = { user: this.record.user, folders: [this.state], memoryMiB, ownSharedMemory: false, limits: {} };
		const confinement = await confine(powers, wanted);
		await runToEnd({
			command: launch(["sh", "-c", 'umask 077; exec mkdir -p -- "$@"', "sh", ...folders], this.state, confinement),
			...{ name: "mkdir", folder: this.state, env: { ...environment, ...passing } },
			signal: AbortSignal.timeout(30_000),
		});
	}

	#environment(home: Home): Record<string, string> {
		return { ...this.#means.environment, HOME: home.state, ...home.program.env };
	}
}

/** Removes what servers beside a service keep for it. Twice is fine. */
export async function eraseRooms({ volumes }: Recipe, id: string): Promise<void> {
	for (const volume of volumes) if ("depot" in volume) await volume.depot.erase(`${id}/${volume.name}`);
}
