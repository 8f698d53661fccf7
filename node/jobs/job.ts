import type { z } from "zod";
import type { JobHead as Head, StepView as StepShape, JobView as View } from "#protocol/api/job.ts";
import type { Saga, Step } from "./saga.ts";
import type { JobState, StepStory, Story } from "./story.ts";

export type JobHead = z.output<typeof Head>;
export type JobView = z.output<typeof View>;
export type StepView = z.output<typeof StepShape>;

/** A kind of work: its saga, and what gives the tools when a job of it is about to run. */
export interface Kind {
	// biome-ignore lint/suspicious/noExplicitAny: each saga has its own data and tools; a job's input is checked where it starts.
	readonly saga: Saga<any, any>;
	tools(): unknown;
}

export type Kinds = Readonly<Record<string, Kind>>;
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type Steps = Readonly<Record<string, Step<any, any>>>;

/** A job as it lies in its table, with the domain of its deployment. Times in ms. */
export interface Job {
	readonly id: string;
	readonly kind: string;
	readonly deployment: string | null;
	readonly domain: string | null;
	readonly customer: string | null;
	/** JSON. */
	readonly input: string;
	readonly state: JobState;
	readonly lease_owner: string | null;
	readonly created_at: number;
	readonly started_at: number | null;
	readonly ended_at: number | null;
}

/** A job, its steps, and its story as far as it was read. */
export interface Told {
	readonly job: Job;
	readonly steps: Steps;
	readonly story: Story;
}

/** As the story tells it, at whatever point of the story that is. */
export function headOf(told: Told): JobHead {
	const { state, startedAt, endedAt } = told.story;
	return head(told, state, startedAt, endedAt);
}

/** As the table has it by now. The story is needed only of jobs that have not ended. */
export function headNow(told: Told): JobHead {
	const { state, started_at, ended_at } = told.job;
	return head(told, state, started_at, ended_at);
}

function head({ job, steps, story }: Told, state: JobState, startedAt: number | null, endedAt: number | null): JobHead {
	// A stuck job that is still held has a step that did not stop; nothing may be done beside that.
	const hangs = state === "stuck" && job.lease_owner !== null;
	return {
		id: job.id,
		kind: job.kind,
		deployment: job.deployment,
		domain: job.domain,
		state,
		createdAt: moment(job.created_at),
		startedAt: maybe(startedAt),
		endedAt: maybe(endedAt),
		expectedSeconds: Object.values(steps).reduce((sum, step) => sum + step.seconds, 0),
		canCancel: hasNotEnded(state) && story.canCancel && !hangs,
		canRetry: state === "stuck" && !hangs,
	};
}

export function stepViewsOf(told: Told): StepView[] {
	return Object.keys(told.steps).map((name) => stepViewOf(told, name));
}

export function stepViewOf({ steps, story }: Told, name: string): StepView {
	const step = steps[name];
	const told: StepStory = story.step(name);
	return {
		step: name,
		verb: step?.verb ?? name,
		service: step?.service ?? null,
		title: step?.title ?? name,
		state: told.state,
		startedAt: maybe(told.startedAt),
		endedAt: maybe(told.endedAt),
		expectedSeconds: step?.seconds ?? 0,
		fraction: told.fraction,
		note: told.note,
		problem: told.problem,
		attempt: told.attempt,
		nextAttemptAt: maybe(told.nextAttemptAt),
	};
}

export function hasNotEnded(state: JobState): boolean {
	return state !== "done" && state !== "undone";
}

function moment(ms: number): string {
	return new Date(ms).toISOString();
}

function maybe(ms: number | null): string | null {
	return ms === null ? null : moment(ms);
}
