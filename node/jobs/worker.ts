import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { failureOf } from "./failure.ts";
import type { Jobs } from "./jobs.ts";
import { LeaseLost, Leases } from "./leases.ts";
import type { OnEnd } from "./ledger.ts";
import { Pen } from "./pen.ts";
import { ordinaryPace, type Pace, Runner, Stopped } from "./runner.ts";
import { Slots } from "./slots.ts";
import { IllegalStory } from "./story.ts";

export interface WorkerParts {
	readonly jobs: Jobs;
	/** Which node this is. What an earlier life of the same node held is taken over at the start. */
	readonly node: string;
	readonly onEnd?: OnEnd;
	/** How many jobs are at work side by side; those that only wait to try again do not count. Default: 4. */
	readonly limit?: number;
	/** Ms between two signs of life. Default: 5000. */
	readonly beat?: number;
	/** How many beats in a row another process may miss before its jobs are taken over. Default: 6. */
	readonly patience?: number;
	readonly pace?: Partial<Pace>;
}

interface Run {
	readonly stop: AbortController;
	runner: Runner<object, unknown> | null;
	over: Promise<void>;
}

const log = getLogger(["fediversity", "jobs"]);

/** Does the work: takes the jobs that are due, several side by side, and sees each to its end. */
export class Worker {
	readonly #jobs: Jobs;
	readonly #node: string;
	readonly #onEnd: OnEnd | undefined;
	readonly #leases: Leases;
	readonly #slots: Slots;
	readonly #beat: number;
	readonly #pace: Pace;
	readonly #runs = new Map<string, Run>();
	#timer: NodeJS.Timeout | undefined;
	#unlisten = () => {};
	#closing = false;
	/** How many runs have begun: the lower a run's number, the older it is. */
	#begun = 0;

	constructor({ jobs, node, onEnd, limit = 4, beat = 5000, patience = 6, pace }: WorkerParts) {
		this.#jobs = jobs;
		this.#node = node;
		this.#onEnd = onEnd;
		this.#leases = new Leases(jobs.ledger.db, `${node}/${randomUUID()}`, patience);
		this.#slots = new Slots(limit);
		this.#beat = beat;
		this.#pace = { ...ordinaryPace, now: jobs.ledger.now, ...pace };
	}

	/** Goes on with everything that is not finished, and takes what comes. */
	start() {
		this.#leases.takeOver(`${this.#node}/`);
		this.#unlisten = this.#jobs.ledger.bell.listen((job) => this.#rung(job));
		this.#timer = setInterval(() => this.#tick(), this.#beat);
		this.#claim();
	}

	/**
	 * Stops every attempt without counting it as failed, and waits until all have ended; the next start goes on.
	 * After `within` ms it gives up waiting for steps that do not listen.
	 */
	async close(within = 10_000): Promise<void> {
		this.#closing = true;
		clearInterval(this.#timer);
		this.#unlisten();
		for (const { stop } of this.#runs.values()) stop.abort(new Stopped());
		const enough = new AbortController();
		const all = Promise.allSettled([...this.#runs.values()].map(({ over }) => over));
		await Promise.race([all, ordinaryPace.pause(within, enough.signal)]);
		enough.abort();
		this.#jobs.logs.flush();
	}

	/** Another process may have cancelled, started or taken over something; in this one the bell tells. */
	#tick() {
		try {
			this.#leases.beat();
			this.#leases.reap();
			for (const [job, { stop }] of this.#runs) if (!this.#leases.holds(job)) stop.abort(new LeaseLost());
			for (const job of this.#runs.keys()) this.#look(job);
			this.#claim();
		} catch (error) {
			log.error("The worker could not look after its jobs, and tries again: {error}", { error });
		}
	}

	#rung(job: string | null) {
		try {
			if (job) this.#look(job);
			this.#claim();
		} catch (error) {
			log.error("The worker could not take a job, and tries again: {error}", { error });
		}
	}

	#look(job: string) {
		this.#runs.get(job)?.runner?.look();
	}

	#claim() {
		while (!this.#closing && this.#slots.tryTake()) {
			const job = this.#leases.claim();
			if (!job) return this.#slots.give();
			// What lost this job earlier may still be at work on it.
			const before = this.#runs.get(job)?.over;
			const run: Run = { stop: new AbortController(), runner: null, over: Promise.resolve() };
			this.#runs.set(job, run);
			run.over = before ? before.then(() => this.#see(job, run)) : this.#see(job, run);
		}
	}

	/** Sees one job to its end, then lets go of it. */
	async #see(job: string, run: Run): Promise<void> {
		try {
			await this.#persist(job, run);
		} finally {
			this.#slots.give();
			this.#claimSoon();
			await run.runner?.hanging;
			this.#letGo(job, run);
		}
	}

	#claimSoon() {
		queueMicrotask(() => this.#rung(null));
	}

	#letGo(job: string, run: Run) {
		if (this.#runs.get(job) !== run) return;
		this.#runs.delete(job);
		try {
			this.#leases.release(job);
			this.#jobs.ledger.bell.ring(job);
		} catch (error) {
			if (!this.#closing) log.error("The lease of job {job} could not be given back: {error}", { job, error });
		}
	}

	/** What the journal cannot write now, such as on a full disk, it may write later. */
	async #persist(job: string, run: Run): Promise<void> {
		for (let failures = 0; ; failures++) {
			try {
				return await this.#run(job, run);
			} catch (error) {
				if (run.stop.signal.aborted || error instanceof LeaseLost) return;
				log.error("Job {job} was interrupted and goes on in a moment: {error}", { job, error });
			}
			await run.runner?.hanging;
			await this.#rest(Math.min(1000 * 2 ** failures, 60_000), run.stop.signal, this.#begun);
		}
	}

	async #run(job: string, run: Run): Promise<void> {
		const pen = new Pen(this.#jobs.ledger, this.#leases, this.#onEnd);
		try {
			run.runner = await this.#runner(job, run, pen);
			await run.runner.run();
		} catch (error) {
			if (!(error instanceof IllegalStory)) throw error;
			log.error("Job {job} cannot go on: {error}", { job, error });
			pen.stick(job, failureOf(error));
		}
	}

	async #runner(id: string, { stop }: Run, journal: Pen): Promise<Runner<object, unknown>> {
		const job = this.#jobs.ledger.job(id);
		const kind = job && this.#jobs.ledger.kinds[job.kind];
		if (!kind) throw new IllegalStory(`There is no work of the kind ${job?.kind}`);
		const rank = this.#begun++;
		const pace: Pace = {
			...this.#pace,
			pause: (ms, signal) => this.#rest(ms, signal, rank),
			aside: (waiting, signal) => this.#aside(waiting, signal, rank),
		};
		try {
			const task = {
				job: id,
				saga: kind.saga,
				input: JSON.parse(job.input) as object,
				tools: await kind.tools(),
				journal,
				log: (step: string, line: string) => this.#jobs.logs.write(id, step, line),
			};
			return new Runner<object, unknown>(task, stop.signal, pace);
		} catch (error) {
			throw new IllegalStory(`Work of the kind ${job.kind} cannot be prepared`, { cause: error });
		}
	}

	/** A pause leaves its place to others. */
	#rest(ms: number, signal: AbortSignal, rank: number): Promise<void> {
		return this.#aside(() => this.#pace.pause(ms, signal), signal, rank);
	}

	/** So does waiting for somebody else. Who began first goes on first: what is nearly done is not held up by what begins. */
	async #aside<Result>(waiting: () => Promise<Result>, signal: AbortSignal, rank: number): Promise<Result> {
		this.#slots.give();
		this.#claimSoon();
		try {
			return await waiting();
		} finally {
			await this.#slots.take(rank, signal);
		}
	}
}
