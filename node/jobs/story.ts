import { Problem } from "#protocol/problem.ts";
import { failureOf } from "./failure.ts";
import type { Entry, Happening } from "./journal.ts";
import { type FailureView, next, type Step, type StepEvent, type StepState } from "./saga.ts";

export type JobState = "waiting" | "running" | "cancelling" | "done" | "undone" | "stuck";

/** What the journal says of one step by now. Times in ms. */
export interface StepStory {
	state: StepState;
	startedAt: number | null;
	endedAt: number | null;
	fraction: number | null;
	note: string | null;
	/** Why it failed for good; stays when it is undone. */
	failure: FailureView | null;
	/** Why it is tried again, stuck, or failed. */
	problem: FailureView | null;
	/** 0 before the first; begins anew with the undo and after a retry by hand. */
	attempt: number;
	nextAttemptAt: number | null;
	/** How often the node stopped in the middle of this attempt. */
	interrupted: number;
}

/** What has to happen next. `giveUp`: the step was under way when the job turned back. */
export type Move =
	| { readonly move: "do" | "undo" | "giveUp"; readonly step: string }
	| { readonly move: "end"; readonly outcome: "done" | "undone" };

/** The journal, read: where a job stands, what comes next and what may be written. It knows no clock and no database. */
export class Story<Data extends object = object> {
	/** The last entry it has heard. */
	seq = 0;
	data: Data;
	startedAt: number | null = null;
	endedAt: number | null = null;
	outcome: "done" | "undone" | null = null;
	readonly steps: ReadonlyMap<string, StepStory>;
	readonly #pivots: ReadonlySet<string>;
	/** Pivots that may still fail. */
	readonly #refusable: ReadonlySet<string>;
	#stuck: FailureView | null = null;
	#cancelled = false;
	#turnedBack: FailureView | null = null;

	constructor(steps: Readonly<Record<string, Pick<Step<never, never>, "pivot" | "refusable">>>, input: Data) {
		const named = Object.entries(steps);
		const misnamed = named.find(([name]) => /^\d+$/.test(name));
		if (misnamed) throw new Error(`A step cannot be called ${misnamed[0]}: numbers do not keep their order`);
		this.data = input;
		this.steps = new Map(named.map(([name]) => [name, untouched()]));
		this.#pivots = new Set(named.filter(([, step]) => step.pivot).map(([name]) => name));
		this.#refusable = new Set(named.filter(([, step]) => step.pivot && step.refusable).map(([name]) => name));
	}

	get state(): JobState {
		if (this.outcome) return this.outcome;
		if (this.#stuck) return "stuck";
		if (this.#cancelled) return "cancelling";
		return this.startedAt === null ? "waiting" : "running";
	}

	/** Why it is stuck or, if it is not, why it turned back. */
	get problem(): FailureView | null {
		return this.#stuck ?? this.#turnedBack;
	}

	get turnedBack() {
		return this.#turnedBack !== null;
	}

	get passedPivot() {
		return [...this.#pivots].some((name) => this.step(name).state !== "waiting");
	}

	/** Whether a failure of this step takes everything back. */
	mayFail(step: string): boolean {
		return !this.passedPivot || this.#refusable.has(step);
	}

	get canCancel() {
		return !this.outcome && !this.#turnedBack && !this.passedPivot;
	}

	step(name: string): StepStory {
		const step = this.steps.get(name);
		if (!step) throw new IllegalStory(`There is no step ${name}`);
		return step;
	}

	/** Null: the job has ended or is stuck. */
	move(): Move | null {
		if (this.outcome || this.#stuck) return null;
		const steps = [...this.steps].map(([step, { state }]) => ({ step, state }));
		if (!this.#turnedBack) {
			const open = steps.find(({ state }) => state !== "done");
			return open ? { move: "do", step: open.step } : { move: "end", outcome: "done" };
		}
		const open = steps.findLast(({ state }) => state !== "waiting" && state !== "undone");
		if (!open) return { move: "end", outcome: "undone" };
		const underWay = open.state === "running" || open.state === "retrying";
		return { move: underWay ? "giveUp" : "undo", step: open.step };
	}

	/** Whether this may be the next entry. */
	allows({ step, event }: Happening): boolean {
		if (this.outcome) return false;
		if (step !== null) return this.#allowsStep(step, event);
		if (event.type === "cancel-requested") return this.canCancel;
		if (event.type === "retry-requested") return this.#stuck !== null;
		if (event.type === "stuck") return !this.#stuck;
		const due = this.move();
		return due?.move === "end" && due.outcome === event.outcome;
	}

	/** Hears one entry; throws IllegalStory, unchanged, when it cannot be true. */
	hear(entry: Entry) {
		if (!this.allows(entry))
			throw new IllegalStory(`${entry.event.type} of ${entry.step ?? "the job"} cannot come at ${entry.seq}`);
		this.seq = entry.seq;
		if (entry.step !== null) this.#hearStep(entry.step, entry.event, entry.at);
		else if (entry.event.type === "ended") this.#end(entry.event.outcome, entry.at);
		else if (entry.event.type === "stuck") this.#stick(entry.event.problem);
		else if (entry.event.type === "retry-requested") this.#stuck = null;
		else this.#cancel();
	}

	#allowsStep(name: string, { type }: StepEvent): boolean {
		const { state } = this.step(name);
		const due = this.move();
		if (this.#stuck || !next(state, type)) return false;
		if (type === "started") return due?.move === "do" && due.step === name;
		if (type === "undo-started") return due?.move === "undo" && due.step === name;
		if (type === "failed") return this.mayFail(name);
		if (type === "retrying") return due?.move !== "giveUp";
		return true;
	}

	#hearStep(name: string, event: StepEvent, at: number) {
		const step = this.step(name);
		const before = step.state;
		step.state = next(before, event.type) ?? before;
		if (event.type === "started" || event.type === "undo-started") {
			this.startedAt ??= at;
			if (step.state === "running") step.startedAt ??= at;
			step.interrupted = before === step.state && step.nextAttemptAt === null ? step.interrupted + 1 : 0;
			step.attempt = before === "retrying" || before === step.state ? step.attempt : 1;
			Object.assign(step, { endedAt: null, fraction: null, note: null, nextAttemptAt: null });
		} else if (event.type === "progress") {
			Object.assign(step, { fraction: event.fraction, note: event.note });
		} else if (event.type === "retrying") {
			Object.assign(step, { problem: event.problem, nextAttemptAt: event.nextAt, attempt: step.attempt + 1 });
		} else {
			Object.assign(step, {
				endedAt: at,
				interrupted: 0,
				nextAttemptAt: null,
				problem: "problem" in event ? event.problem : step.failure,
			});
			if (event.type === "done") this.data = { ...this.data, ...event.result };
			if (event.type === "failed") this.#fail(step, event.problem);
			if (event.type === "stuck") this.#stuck = event.problem;
		}
	}

	#fail(step: StepStory, problem: FailureView) {
		step.failure = problem;
		this.#turnedBack ??= problem;
	}

	#cancel() {
		this.#cancelled = true;
		this.#turnedBack = failureOf(new Problem("cancelled"));
		this.#stuck = null;
	}

	/** No step is to blame, but people look for the reason at the step that does not go on. */
	#stick(problem: FailureView) {
		const due = this.move();
		if (due && due.move !== "end") this.step(due.step).problem = problem;
		this.#stuck = problem;
	}

	#end(outcome: "done" | "undone", at: number) {
		this.outcome = outcome;
		this.endedAt = at;
	}
}

/** The journal contradicts itself or the saga: a bug, or the saga changed under a job that was under way. */
export class IllegalStory extends Error {
	override readonly name = "IllegalStory";
}

function untouched(): StepStory {
	return {
		state: "waiting",
		startedAt: null,
		endedAt: null,
		fraction: null,
		note: null,
		failure: null,
		problem: null,
		attempt: 0,
		nextAttemptAt: null,
		interrupted: 0,
	};
}
