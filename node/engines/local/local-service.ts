import { randomInt } from "node:crypto";
import { statfs } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { Problem } from "#protocol/problem.ts";
import type { Vault } from "../../secrets/vault.ts";
import type { Backend, Plan, PlannedService, Report, Sighting } from "../engine.ts";
import { askAt } from "./ask.ts";
import { confine } from "./confine.ts";
import { LocalHands } from "./hands.ts";
import type { HomeRecord, Homes } from "./homes.ts";
import { tailOf } from "./log-file.ts";
import type { Powers } from "./powers.ts";
import type { Processes, UnitStatus } from "./processes.ts";
import type { Home, Program, Recipe } from "./recipe.ts";
import { sizeOf } from "./size.ts";
import type { Unit } from "./unit.ts";
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
}

/** Less than this and nothing can be written down reliably. */
const leastFree = 2 ** 20;

/** One service of one deployment on this machine. What is asked of it must come one after the other. */
export class LocalService {
	readonly id: string;
	readonly planned: PlannedService;
	mode: Plan["mode"];
	readonly #plan: Plan;
	readonly #recipe: Recipe;
	readonly #means: Means;
	#program: Program | undefined;
	/** The port it answers on, while it does. */
	#answers: number | null = null;
	#status: UnitStatus = { state: "stopped", pid: null, deaths: 0 };
	#starting = false;

	constructor(plan: Plan, planned: PlannedService, recipe: Recipe, means: Means) {
		this.id = `${plan.deployment}/${planned.name}`;
		this.planned = planned;
		this.mode = plan.mode;
		this.#plan = plan;
		this.#recipe = recipe;
		this.#means = means;
	}

	/** Whether it has been set up here, so that there is something to start. */
	get isSetUp(): boolean {
		return typeof this.#means.homes.get(this.id)?.settings === "string";
	}

	backend(): Backend {
		if (this.mode === "frozen") return { kind: "frozen", retryAfter: 120 };
		if (this.mode !== "serving" || this.#status.state === "given-up") return { kind: "stopped", retryAfter: 300 };
		return this.#answers === null ? { kind: "starting", retryAfter: 3 } : { kind: "up", port: this.#answers };
	}

	/** The keeper saw it start or end. */
	changed(status: UnitStatus) {
		this.#status = status;
		this.#answers = null;
		if (status.state === "running" && !this.#starting) void this.#watchUntilReady();
	}

	get(report: Report): Promise<void> {
		return this.#honestly(this.#means.workshop.cache, async () => {
			this.#program = undefined;
			await this.#found(report);
		});
	}

	configure(report: Report): Promise<void> {
		return this.#honestly(this.#folder, async () => {
			const record = await this.#means.homes.open(this.id, this.#recipe.ports);
			await this.#requireSpace();
			const home = await this.#home(report);
			const hands = await this.#hands(home, report);
			await this.#recipe.configure(home, hands);
			await this.#means.homes.change(record, { settings: hands.written() });
		});
	}

	/** Answers when it is ready. If it runs as it should already, it is only looked at. */
	start(report: Report): Promise<void> {
		return this.#honestly(this.#folder, async () => {
			await this.#requireSpace();
			if (this.#status.state !== "running") await this.#checkPorts(report);
			const home = await this.#home(report);
			this.#starting = true;
			try {
				await this.#means.processes.start(await this.unit(home));
				await this.#untilReady(home, report);
				this.#answers = home.port();
			} finally {
				this.#starting = false;
			}
		});
	}

	/** Makes the first account, once. */
	account(report: Report): Promise<void> {
		return this.#honestly(this.#folder, async () => {
			const { account } = this.#recipe;
			const record = this.#record();
			if (!account || record.account) return;
			if (account.while === "stopped") await this.stop();
			const home = await this.#home(report);
			await account.create(home, await this.#password(), await this.#hands(home, report));
			await this.#means.homes.change(this.#record(), { account: true });
		});
	}

	setPassword(report: Report): Promise<void> {
		return this.#honestly(this.#folder, async () => {
			const { account } = this.#recipe;
			if (!account) throw new Problem("credentials-none", { service: this.planned.name });
			if (account.while === "stopped") await this.stop();
			const home = await this.#home(report);
			await account.setPassword(home, await this.#password(), await this.#hands(home, report));
			if (account.while === "stopped" && this.mode === "serving") await this.start(report);
		});
	}

	/** Waits until all its probes hold. */
	async check(report: Report): Promise<void> {
		const home = await this.#home(report);
		const until = performance.now() + 30_000;
		for (;;) {
			const probes = await this.#probe(home, report.signal);
			const wrong = probes.find(({ ok }) => !ok);
			if (!wrong) return;
			report.progress(null, `${wrong.what}: ${wrong.detail}`);
			if (performance.now() > until) {
				report.log(`${wrong.what}: ${wrong.detail}`);
				throw new Problem("service-not-ready", { service: this.planned.name, seconds: 30 });
			}
			await wait(250, undefined, { signal: report.signal });
		}
	}

	stop(): Promise<void> {
		return this.#means.processes.stop(this.id, this.#means.homes.get(this.id)?.user ?? null);
	}

	/** Ends it and removes its state, its secrets and its log, for good. */
	async erase(): Promise<void> {
		await this.stop();
		await this.#means.homes.erase(this.id);
		await this.#means.vault.remove(`${this.id}/`);
	}

	async look(): Promise<Sighting> {
		const service = this.planned.name;
		if (!this.isSetUp) return { service, health: "stopped", probes: [], sizeBytes: null };
		const sizeBytes = await sizeOf(this.#folder);
		if (this.mode !== "serving" || this.#status.state === "stopped")
			return { service, health: "stopped", probes: [], sizeBytes };
		const home = await this.#home(null);
		const probes = await this.#probe(home, null);
		if (probes.every(({ ok }) => ok)) return { service, health: "well", probes, sizeBytes };
		const isStarting = this.#answers === null && this.#status.state === "running" && this.#status.deaths === 0;
		return { service, health: isStarting ? "starting" : "unwell", probes, sizeBytes };
	}

	/** What the keeper should run. Needs the program to be there. */
	async unit(known?: Home): Promise<Unit> {
		const home = known ?? (await this.#home(null));
		const command = this.#recipe.command(home);
		return {
			id: this.id,
			argv: command.argv,
			env: { ...this.#environment(home), ...command.env },
			folder: home.state,
			settings: this.#record().settings ?? "",
			log: this.#means.homes.log(this.id),
			stop: this.#recipe.stop,
			confinement: await this.#confinement(home),
		};
	}

	get #folder(): string {
		return this.#means.homes.state(this.id);
	}

	#record(): HomeRecord {
		const record = this.#means.homes.get(this.id);
		if (!record) throw new Error(`${this.id} has no home yet`);
		return record;
	}

	/** Without a report nobody waits, so nothing is fetched. */
	async #found(report: Report | null): Promise<Program> {
		this.#program ??= await this.#recipe.find(this.#means.workshop);
		if (!this.#program && report) this.#program = await this.#recipe.obtain(this.#means.workshop, report);
		if (!this.#program)
			throw new Problem("program-missing", {
				program: this.planned.name,
				fix: "deploy or restart the service to get it",
			});
		return this.#program;
	}

	async #home(report: Report | null): Promise<Home> {
		const program = await this.#found(report);
		const record = this.#record();
		return {
			...this.planned,
			deployment: this.#plan.deployment,
			domain: this.#plan.domain,
			host: this.planned.hosts[0] ?? this.#plan.domain,
			state: this.#folder,
			program,
			port: (name = this.#recipe.ports[0]) => {
				const port = record.ports[name];
				if (port === undefined) throw new Error(`${this.planned.name} has no port called ${name}`);
				return port;
			},
		};
	}

	#confinement(home: Home) {
		const { powers, memoryMiB } = this.#means;
		const { ownSharedMemory, limits, reads = [] } = this.#recipe.command(home);
		const folders = [home.state, ...(home.program.folder ? [home.program.folder] : []), ...reads];
		const { user } = this.#record();
		return confine(powers, {
			user,
			folders,
			memoryMiB,
			...(ownSharedMemory && { ownSharedMemory }),
			...(limits && { limits }),
		});
	}

	async #hands(home: Home, report: Report): Promise<LocalHands> {
		const { passing, vault } = this.#means;
		const confinement = await this.#confinement(home);
		return new LocalHands({ home, report, confinement, vault, env: { ...this.#environment(home), ...passing } });
	}

	#environment(home: Home): Record<string, string> {
		return { ...this.#means.environment, HOME: home.state, ...home.program.env };
	}

	#password(): Promise<string> {
		return this.#means.vault.obtain(`${this.id}/password`, newPassword);
	}

	/** Somebody else may have taken its port while it was stopped. */
	async #checkPorts(report: Report) {
		const before = this.#record();
		if ((await this.#means.homes.withFreePorts(before)) !== before) await this.configure(report);
	}

	async #untilReady(home: Home, report: Report): Promise<void> {
		const { atMost } = this.#recipe.ready;
		const [first] = this.#recipe.probes(home);
		const ask = askAt(home.origin, home.port, report.signal);
		const until = performance.now() + atMost * 1000;
		for (let pause = 10; ; pause = Math.min(pause * 1.5, 300)) {
			const wrong = first
				? await first.look(ask).then(
						() => null,
						(error: Error) => error.message,
					)
				: null;
			report.signal.throwIfAborted();
			const { state, deaths } = this.#means.processes.status(this.id);
			if (state !== "running" || deaths > 0) return this.#failed("service-died", report);
			if (wrong === null) return;
			if (performance.now() > until) return this.#failed("service-not-ready", report);
			await wait(pause, undefined, { signal: report.signal });
		}
	}

	async #failed(code: "service-died" | "service-not-ready", report: Report): Promise<never> {
		for (const line of tailOf(this.#means.homes.log(this.id))) report.log(line);
		await this.stop();
		throw new Problem(code, { service: this.planned.name, seconds: this.#recipe.ready.atMost });
	}

	/** After it was started again by itself, or taken over from an earlier life of the node. */
	async #watchUntilReady() {
		const { pid } = this.#status;
		const home = await this.#home(null).catch(() => null);
		const [first] = home ? this.#recipe.probes(home) : [];
		for (let pause = 10; home && this.#status.pid === pid; pause = Math.min(pause * 1.5, 1000)) {
			const ready =
				!first ||
				(await first.look(askAt(home.origin, home.port)).then(
					() => true,
					() => false,
				));
			if (this.#status.pid !== pid || this.#status.state !== "running") return;
			if (ready) {
				this.#answers = home.port();
				return;
			}
			await wait(pause, undefined, { ref: false });
		}
	}

	#probe(home: Home, signal: AbortSignal | null): Promise<Sighting["probes"]> {
		const ask = askAt(home.origin, home.port, signal ?? undefined);
		return Promise.all(
			this.#recipe.probes(home).map(async ({ what, look }) => {
				const from = performance.now();
				const seen = await look(ask).then(
					(detail) => ({ ok: true, detail }),
					(error: Error) => ({ ok: false, detail: error.message }),
				);
				return { what, ...seen, milliseconds: Math.round(performance.now() - from) };
			}),
		);
	}

	async #requireSpace() {
		if (await isFull(this.#folder)) throw new Problem("disk-full", { folder: this.#folder });
	}

	/** A program on a full disk fails in ways of its own; what the person must hear is that the disk is full. */
	async #honestly<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
		try {
			return await work();
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code === "ENOSPC" || code === "EDQUOT" || (await isFull(folder)))
				throw new Problem("disk-full", { folder }, { cause: error });
			throw error;
		}
	}
}

async function isFull(folder: string): Promise<boolean> {
	const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Infinity, bsize: 1 }));
	return bavail * bsize < leastFree;
}

/** 20 characters that nobody mistakes for one another, about 98 bits. */
function newPassword(): string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789";
	return Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join("");
}
