import type { JobHead } from "../../node/jobs/job.ts";
import { type JobChange, Jobs } from "../../node/jobs/jobs.ts";
import type { Saga, Work } from "../../node/jobs/saga.ts";
import { Worker, type WorkerParts } from "../../node/jobs/worker.ts";
import { Database } from "../../node/store/database.ts";
import { building, type Site } from "./building.ts";

export const never = new AbortController().signal;

/** Where a step waits until the test lets it go on. */
export interface Door {
	reached: Promise<Work>;
	arrive(work: Work): void;
	opened: Promise<void>;
	open(): void;
}

/** A database, jobs of three kinds (`build`, `settle` with a pivot in the middle, `wait` at a door), and workers. */
export class Yard {
	readonly db = new Database(":memory:");
	readonly site: Site = { house: new Set(), broken: {} };
	readonly clock = { shift: 0 };
	readonly doors = new Map<string, Door>();
	readonly #workers: Worker[] = [];
	jobs = this.office();

	/** Another way to the same jobs, as another process has it. */
	office(now = () => this.now()) {
		return new Jobs(
			this.db,
			{
				build: { saga: building(), tools: () => this.site },
				settle: { saga: building("walls"), tools: () => this.site },
				wait: { saga: waiting, tools: () => this },
			},
			now,
		);
	}

	now() {
		return Date.now() + this.clock.shift;
	}

	/** A worker that has begun; it never pauses. */
	work(parts: Partial<WorkerParts> = {}): Worker {
		const { jobs } = this;
		const worker = new Worker({ jobs, node: "north", beat: 5, pace: { pause: async () => {} }, ...parts });
		this.#workers.push(worker);
		worker.start();
		return worker;
	}

	build(about: { deployment?: string; customer?: string } = {}, kind = "build"): string {
		return this.jobs.start(kind, { built: 0 }, about);
	}

	/** A job that waits at a door; a deaf one does not care what it is told. */
	wait(name: string, deaf = false) {
		return { door: this.door(name), id: this.jobs.start("wait", { name, deaf }) };
	}

	door(name: string): Door {
		const [reached, opened] = [Promise.withResolvers<Work>(), Promise.withResolvers<void>()];
		const door = { reached: reached.promise, arrive: reached.resolve, opened: opened.promise, open: opened.resolve };
		this.doors.set(name, door);
		return door;
	}

	/** Waits until the job is, or was, in one of these states. */
	async state(id: string, ...wanted: string[]): Promise<JobHead> {
		for await (const { event, data } of this.jobs.events(id, 0, never, null))
			if (event === "job" && wanted.includes(data.state)) return data;
		throw new Error(`${id} ended without being ${wanted}`);
	}

	ended(id: string) {
		return this.state(id, "done", "undone", "stuck");
	}

	types(id: string) {
		return this.jobs.ledger.journal.read(id).map(({ event }) => event.type);
	}

	async close() {
		for (const door of this.doors.values()) door.open();
		for (const worker of this.#workers) await worker.close();
		this.jobs.close();
		this.db.close();
	}
}

const waiting: Saga<{ name: string; deaf?: boolean }, Yard> = {
	name: "wait",
	steps: () => ({
		wait: {
			verb: "wait",
			title: "Wait",
			seconds: 1,
			async do({ name, deaf }, yard, work) {
				const door = yard.doors.get(name) ?? yard.door(name);
				door.arrive(work);
				await (deaf ? door.opened : Promise.race([door.opened, stopped(work.signal)]));
			},
		},
	}),
};

/** Rejects when the signal is aborted, as a well-behaved step does. */
export function stopped(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

export async function until(holds: () => boolean) {
	while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Lets everything happen that can happen without time. */
export function turn() {
	return new Promise((resolve) => setImmediate(resolve));
}

export async function all(changes: AsyncIterable<JobChange>): Promise<JobChange[]> {
	const told: JobChange[] = [];
	for await (const change of changes) told.push(change);
	return told;
}
