import { Problem } from "#protocol/problem.ts";
import type { Backend, PlacedVolume, Plan, PlannedService, Report, Sighting } from "../engine.ts";
import { tailOf } from "./log-file.ts";
import { type Means, Place } from "./place.ts";
import { lookAll, lookUntilWell, type Seen } from "./probing.ts";
import type { UnitStatus } from "./processes.ts";
import type { Home, Probe, Recipe } from "./recipe.ts";
import { sizeOf } from "./size.ts";
import { honestAboutSpace, requireSpace } from "./space.ts";

/** How long a service that answers already may take until all its probes hold. */
const checkSeconds = 30;

/** One service of one deployment on this machine. Work on it (`get` … `erase`) must be asked for one after the other. */
export class LocalService {
	readonly planned: PlannedService;
	readonly place: Place;
	mode: Plan["mode"];
	readonly #recipe: Recipe;
	readonly #means: Means;
	/** The port it answers on, while it does. */
	#answers: number | null = null;
	#status: UnitStatus = { state: "stopped", pid: null, deaths: 0 };
	#starting = false;

	constructor(plan: Plan, planned: PlannedService, recipe: Recipe, means: Means) {
		this.planned = planned;
		this.place = new Place(plan, planned, recipe, means);
		this.mode = plan.mode;
		this.#recipe = recipe;
		this.#means = means;
	}

	get id(): string {
		return this.place.id;
	}

	/** Whether it has been set up here, so that there is something to start. */
	get isSetUp(): boolean {
		return typeof this.place.known?.settings === "string";
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
		return honestAboutSpace(this.#means.workshop.cache, () => this.place.getProgram(report));
	}

	/** `changing` is waited for before anything that is there becomes otherwise. */
	configure(report: Report, changing?: () => Promise<void>): Promise<void> {
		return honestAboutSpace(this.place.state, async () => {
			await this.place.open();
			await requireSpace(this.place.state);
			const home = await this.place.home(report);
			const hands = await this.place.hands(home, report, changing);
			await this.#recipe.configure(home, hands);
			const { settings: before } = this.place.record;
			const { settings } = await this.place.remember({ settings: hands.written() });
			report.log(settings === before ? "Its settings are as they should be" : "Its settings are written");
		});
	}

	/** Sets up again what is not as it was set up, and starts it again if that was so or it is not well. */
	mend(report: Report): Promise<void> {
		// It ends before a file changes, so that whoever is cut off in between finds out that it must start.
		const end = () => this.stop(report);
		return this.#orUp(report, async () => {
			const wrong = this.#status.state === "running" ? (await this.#probe()).find(({ ok }) => !ok) : undefined;
			if (wrong) report.log(`${wrong.what}: ${wrong.detail}`);
			if (wrong || this.#status.state !== "running") await end();
			await this.configure(report, end);
			// Of one that keeps nothing the account is no state either.
			if (this.#recipe.volumes.length === 0) await this.place.remember({ account: false });
			await this.start(report);
		});
	}

	/** It ends and starts again. */
	restart(report: Report): Promise<void> {
		return this.#orUp(report, async () => {
			await this.stop();
			await this.get(report);
			await this.configure(report);
			await this.start(report);
		});
	}

	/** Answers when it is ready. If it runs as it should already, it is only looked at. */
	start(report: Report): Promise<void> {
		return honestAboutSpace(this.place.state, async () => {
			await requireSpace(this.place.state);
			if (this.#status.state !== "running") await this.#checkPorts(report);
			const home = await this.place.home(report);
			this.#starting = true;
			try {
				await this.#means.processes.start(await this.place.unit(home));
				report.log(`It runs as process ${this.#status.pid}, ${this.place.listens}`);
				await this.#untilReady(home, report);
				report.log("It answers");
				await this.#recipe.furnish?.(home, await this.place.hands(home, report));
				this.#answers = home.port();
			} finally {
				this.#starting = false;
			}
		});
	}

	/** Makes the first account, once. */
	account(report: Report): Promise<void> {
		return honestAboutSpace(this.place.state, async () => {
			const { account } = this.#recipe;
			if (!account || this.place.record.account) return;
			if (account.while === "stopped") await this.stop();
			const home = await this.place.home(report);
			await account.create(home, await this.place.password(), await this.place.hands(home, report));
			await this.place.remember({ account: true });
			report.log(`The account ${home.owner.username} is there`);
		});
	}

	setPassword(report: Report): Promise<void> {
		return honestAboutSpace(this.place.state, async () => {
			const { account } = this.#recipe;
			if (!account) throw new Problem("credentials-none", { service: this.planned.name });
			if (account.while === "stopped") await this.stop();
			const home = await this.place.home(report);
			await account.setPassword(home, await this.place.password(), await this.place.hands(home, report));
			report.log(`The account ${home.owner.username} has another password`);
			if (account.while === "stopped" && this.mode === "serving") await this.start(report);
		});
	}

	/** Waits until all its probes hold. */
	async check(report: Report): Promise<void> {
		const all = await this.lookThrough(report);
		const wrong = all.find(({ ok }) => !ok);
		for (const { what, detail } of wrong ? [wrong] : all) report.log(`${what}: ${detail}`);
		if (wrong) throw new Problem("service-not-ready", { service: this.planned.name, seconds: checkSeconds });
		// It answers: visitors need not wait until the keeper has seen that too.
		if (this.#status.state === "running") this.#answers ??= (await this.place.home(report)).port();
	}

	/** Looks in all its ways until all is well, but not for ever; answers what was seen last. */
	async lookThrough(report: Report): Promise<readonly Seen[]> {
		const home = await this.place.home(report);
		const until = performance.now() + checkSeconds * 1000;
		let last: readonly Seen[] = [];
		const seen = (wrong: Seen | undefined, all: readonly Seen[]) => {
			last = all;
			if (wrong) report.progress(null, `${wrong.what}: ${wrong.detail}`);
			return performance.now() < until;
		};
		const { signal } = report;
		await lookUntilWell(this.#recipe.probes(home), this.place.ask(home, signal), { signal, seen });
		return last;
	}

	/** Where its state lies, or belongs if it was never set up here: being asked for it does not set it up. */
	async volumes(): Promise<readonly PlacedVolume[]> {
		await this.place.open();
		const places = await this.place.volumes();
		return places.map((volume) => ({ service: this.planned.name, ...volume }));
	}

	/** Its state has come from elsewhere. With it the account, unless that is made anew wherever it runs. */
	async adopt(): Promise<void> {
		await this.place.open();
		await this.place.remember({ account: this.#recipe.volumes.length > 0 });
	}

	async stop(report?: Report): Promise<void> {
		await this.#means.processes.stop(this.id, this.place.known?.user ?? null);
		report?.log("No process of it runs");
	}

	/** Ends it and removes its state, its secrets and its log, for good. */
	async erase(report: Report): Promise<void> {
		await this.stop();
		await this.place.erase();
		report.log("Its files and its secrets are gone");
	}

	async look(): Promise<Sighting> {
		const service = this.planned.name;
		if (!this.isSetUp) return { service, health: "stopped", probes: [], sizeBytes: null };
		const sizeBytes = await sizeOf(this.place.state);
		if (this.mode !== "serving" || this.#status.state === "stopped")
			return { service, health: "stopped", probes: [], sizeBytes };
		const probes = await this.#probe();
		if (probes.every(({ ok }) => ok)) return { service, health: "well", probes, sizeBytes };
		const isStarting = this.#answers === null && this.#status.state === "running" && this.#status.deaths === 0;
		return { service, health: isStarting ? "starting" : "unwell", probes, sizeBytes };
	}

	async #probe(): Promise<Seen[]> {
		try {
			const home = await this.place.home(null);
			return await lookAll(this.#recipe.probes(home), this.place.ask(home));
		} catch (error) {
			return [{ what: "program", ok: false, detail: (error as Error).message, milliseconds: 0 }];
		}
	}

	/** The probe that says whether it is ready. */
	#first(home: Home): readonly Probe[] {
		return this.#recipe.probes(home).slice(0, 1);
	}

	/** Work that is called off on its way does not leave it down: it starts, as it is set up by then. */
	async #orUp(report: Report, work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (error) {
			if (report.signal.aborted) await this.#up().catch((trouble) => report.log(`It stays down: ${trouble.message}`));
			throw error;
		}
	}

	async #up(): Promise<void> {
		if (this.#status.state === "running") void this.#watchUntilReady();
		else await this.#means.processes.start(await this.place.unit(await this.place.home(null)));
	}

	/** Somebody else may have taken its port while it was stopped. */
	async #checkPorts(report: Report) {
		const before = this.place.record;
		if ((await this.#means.homes.withFreePorts(before)) !== before) await this.configure(report);
	}

	async #untilReady(home: Home, report: Report): Promise<void> {
		const { signal } = report;
		const until = performance.now() + this.#recipe.ready.atMost * 1000;
		const { pid } = this.#means.processes.status(this.id);
		const seen = (wrong: Seen | undefined) => {
			// Looked at also when somebody answers: that could be another program at its port.
			if (this.#status.state !== "running" || this.#status.pid !== pid) return this.#failed("service-died", report);
			if (!wrong || performance.now() <= until) return true;
			report.log(`${wrong.what}: ${wrong.detail}`);
			return this.#failed("service-not-ready", report);
		};
		await lookUntilWell(this.#first(home), this.place.ask(home, signal), { signal, seen });
	}

	async #failed(code: "service-died" | "service-not-ready", report: Report): Promise<never> {
		for (const line of tailOf(this.place.log)) report.log(line);
		await this.stop();
		throw new Problem(code, { service: this.planned.name, seconds: this.#recipe.ready.atMost });
	}

	/** After it was started again by itself, or taken over from an earlier life of the node. */
	async #watchUntilReady() {
		const { pid } = this.#status;
		const isSame = () => this.#status.pid === pid && this.#status.state === "running";
		const home = await this.place.home(null).catch(() => null);
		if (!home) return;
		const isReady = await lookUntilWell(this.#first(home), this.place.ask(home), { seen: isSame });
		if (isReady && isSame()) this.#answers = home.port();
	}
}
