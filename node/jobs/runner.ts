import { getLogger } from "@logtape/logtape";
import { Problem } from "#protocol/problem.ts";
import { attempt, type End } from "./attempt.ts";
import { failureOf, isFinal } from "./failure.ts";
import { Behind, type Happening, type Journal } from "./journal.ts";
import { Progress } from "./progress.ts";
import type { Saga, Step, Work } from "./saga.ts";
import { IllegalStory, Story } from "./story.ts";

export type Outcome = "done" | "undone" | "stuck";

export interface Task<Data extends object, Tools> {
	readonly job: string;
	readonly saga: Saga<Data, Tools>;
	readonly input: Data;
	readonly tools: Tools;
	readonly journal: Journal;
	log?(step: string, line: string): void;
}

/** What a runner depends on besides the task; tests replace it. Times in ms. */
export interface Pace {
	now(): number;
	random(): number;
	/** Waits; returns early, without a throw, when the signal is aborted. */
	pause(ms: number, signal: AbortSignal): Promise<void>;
	/** Waits for somebody else's doing; see `Work`. */
	aside<Result>(waiting: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
	/** How long a step that was told to stop may go on before the job counts as stuck. */
	grace: number;
	/** The shortest time between two entries of progress. */
	progressEvery: number;
}

/** The runner was told to stop before the job was over; the job goes on where it was, at another time. */
export class Stopped extends Error {
	override readonly name = "Stopped";
}

const log = getLogger(["fediversity", "jobs"]);
const defaults = { deadline: 600, attempts: 3 };
const longestPause = 60_000;
const mostInterruptions = 19;

/** Runs one job to its end, from wherever its journal says it stopped. */
export class Runner<Data extends object, Tools> {
	/** Set when a step did not stop though told to: resolves when it has ended after all. */
	hanging: Promise<void> | null = null;
	readonly #task: Task<Data, Tools>;
	readonly #pace: Pace;
	readonly #steps: Readonly<Record<string, Step<Data, Tools>>>;
	readonly #story: Story<Data>;
	readonly #stop: AbortSignal;
	/** Aborted when somebody cancels; only what goes forward listens. */
	readonly #cancel = new AbortController();

	/** `stop` ends the run early: attempts are aborted, nothing counts as failed, `run` throws Stopped. */
	constructor(task: Task<Data, Tools>, stop: AbortSignal, pace: Partial<Pace> = {}) {
		this.#task = task;
		this.#stop = stop;
		this.#pace = { ...ordinaryPace, ...pace };
		this.#steps = task.saga.steps(task.input);
		this.#story = new Story(this.#steps, task.input);
	}

	/** Throws Stopped, or whatever the journal throws; then a new runner can go on from the journal. */
	async run(): Promise<Outcome> {
		for (this.look(); ; ) {
			if (this.#stop.aborted) throw new Stopped();
			const due = this.#story.move();
			if (!due) return this.#story.outcome ?? "stuck";
			if (due.move === "end") this.#write({ step: null, event: { type: "ended", outcome: due.outcome } });
			else if (due.move === "giveUp") this.#fail(due.step, new Problem("cancelled"));
			else await this.#try(due.move, due.step);
		}
	}

	/** Reads what others wrote into the journal; a cancelled step is told to stop at once. */
	look() {
		for (const entry of this.#task.journal.read(this.#task.job, this.#story.seq)) this.#story.hear(entry);
		if (this.#story.state === "cancelling" && !this.#cancel.signal.aborted)
			this.#cancel.abort(new Problem("cancelled"));
	}

	async #try(move: "do" | "undo", name: string) {
		if (this.#story.step(name).interrupted >= mostInterruptions) return this.#blame(name);
		if (!this.#write({ step: name, event: { type: move === "do" ? "started" : "undo-started" } })) return;
		const ended = await this.#attempt(move, name);
		if (ended.end === "hung") this.#hang(name, ended.settled);
		else if (ended.end === "done")
			this.#write({ step: name, event: move === "do" ? { type: "done", result: ended.result } : { type: "undone" } });
		else await this.#failed(move, name, ended.error);
	}

	async #attempt(move: "do" | "undo", name: string): Promise<End<object>> {
		const step = this.#step(name);
		const stop = move === "do" ? AbortSignal.any([this.#stop, this.#cancel.signal]) : this.#stop;
		const progress = new Progress(this.#pace.progressEvery, (event) => this.#write({ step: name, event }));
		const work = async (signal: AbortSignal) => {
			const powers = this.#work(name, signal, progress);
			const result = await step[move]?.(this.#story.data, this.#task.tools, powers);
			return JSON.parse(JSON.stringify(result ?? {})) as object;
		};
		const limits = { deadline: (step.deadline ?? defaults.deadline) * 1000, grace: this.#pace.grace };
		try {
			return await attempt(work, stop, limits);
		} finally {
			progress.close();
		}
	}

	#work(name: string, signal: AbortSignal, progress: Progress): Work {
		const { job } = this.#task;
		return {
			job,
			key: `${job}/${name}`,
			signal,
			progress: (fraction, note) => progress.say(fraction, note),
			log: (line) => this.#task.log?.(name, line),
			aside: (waiting) => this.#pace.aside(waiting, signal),
		};
	}

	async #failed(move: "do" | "undo", name: string, error: unknown) {
		if (this.#stop.aborted) throw new Stopped();
		this.look();
		if (move === "do" && this.#story.turnedBack) return;
		if (failureOf(error).code === "bug")
			log.error("{job}: {step} failed: {error}", { job: this.#task.job, step: name, error });
		const attemptsLeft = (this.#step(name).attempts ?? defaults.attempts) - this.#story.step(name).attempt;
		if (!isFinal(error) && attemptsLeft > 0) await this.#retryLater(name, error);
		else if (move === "undo" || !this.#mayFail(name, error))
			this.#write({ step: name, event: { type: "stuck", problem: failureOf(error) } });
		else this.#fail(name, error);
	}

	async #retryLater(name: string, error: unknown) {
		const doubled = 1000 * 2 ** (this.#story.step(name).attempt - 1);
		const ms = Math.min(doubled, longestPause) * (0.75 + this.#pace.random() / 2);
		const event = { type: "retrying", problem: failureOf(error), nextAt: Math.round(this.#pace.now() + ms) } as const;
		if (!this.#write({ step: name, event })) return;
		const forward = !this.#story.turnedBack;
		await this.#pace.pause(ms, forward ? AbortSignal.any([this.#stop, this.#cancel.signal]) : this.#stop);
	}

	/** Past the pivot only a refusal fails; that tries are used up says nothing about the other side. */
	#mayFail(name: string, error: unknown): boolean {
		return this.#story.mayFail(name) && (isFinal(error) || !this.#story.passedPivot);
	}

	#fail(name: string, error: unknown) {
		this.#write({ step: name, event: { type: "failed", problem: failureOf(error) } });
	}

	/** A step that may be what brings the node down is not begun for ever. */
	#blame(name: string) {
		const problem = failureOf(new Problem("job-interrupted", { times: mostInterruptions + 1 }));
		this.#write({ step: name, event: { type: "stuck", problem } });
	}

	/** The step may still be at work, so nothing can be done or undone after it. */
	#hang(name: string, settled: Promise<void>) {
		this.hanging = settled;
		if (this.#stop.aborted) throw new Stopped();
		this.#write({ step: name, event: { type: "stuck", problem: failureOf(new Problem("job-hangs")) } });
	}

	/** False: somebody else wrote something after which this cannot be said; decide anew. */
	#write(happening: Happening): boolean {
		for (let behind = false; ; behind = true) {
			if (!this.#story.allows(happening)) {
				if (behind) return false;
				throw new IllegalStory(`${happening.event.type} cannot be said of ${happening.step ?? "the job"}`);
			}
			const seen = this.#story.seq;
			try {
				this.#story.hear(this.#task.journal.append(this.#task.job, seen, happening));
				return true;
			} catch (error) {
				if (!(error instanceof Behind)) throw error;
				this.look();
				if (this.#story.seq === seen) throw error;
			}
		}
	}

	#step(name: string): Step<Data, Tools> {
		const step = this.#steps[name];
		if (!step) throw new IllegalStory(`There is no step ${name}`);
		return step;
	}
}

export const ordinaryPace: Pace = {
	now: Date.now,
	random: Math.random,
	aside: (waiting) => waiting(),
	pause: (ms, signal) =>
		new Promise((resolve) => {
			const timer = setTimeout(over, ms);
			signal.addEventListener("abort", over);
			if (signal.aborted) over();
			function over() {
				clearTimeout(timer);
				signal.removeEventListener("abort", over);
				resolve();
			}
		}),
	grace: 120_000,
	progressEvery: 1000,
};
