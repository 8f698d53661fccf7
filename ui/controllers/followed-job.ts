import type { ReactiveControllerHost } from "lit";
import type { Client } from "#protocol/client.ts";
import type { Job, JobHead, Step } from "../views.ts";
import type { ServerEvent } from "./event-stream.ts";
import { Live } from "./live.ts";
import { Poll } from "./poll.ts";
import { Task } from "./task.ts";

interface Following {
	api: () => Client;
	send: typeof fetch;
	id: () => string;
	/** Called after every change, with what was known before. */
	changed?: (before: Job, after: Job) => void;
}

/** One job as it happens: fetched once, then followed by its events until it has ended. */
export class FollowedJob {
	readonly task: Task<Job>;
	readonly #live: Live;
	readonly #following: Following;

	constructor(host: ReactiveControllerHost, following: Following) {
		this.#following = following;
		this.task = new Task(host, (signal) => following.api()("GET /jobs/{id}", { path: { id: following.id() }, signal }));
		this.#live = new Live(host, {
			href: () =>
				this.job && !isOver(this.job) ? `/api/v1/jobs/${encodeURIComponent(following.id())}/events` : undefined,
			after: () => String(this.job?.seq ?? 0),
			hear: (event) => this.#hear(event),
			send: (input, init) => following.send(input, init),
		});
		const poll = new Poll(host, () => this.#seconds(), this.task.run);
		host.addController({
			hostUpdated: () => {
				this.#live.start();
				poll.ensure();
			},
		});
	}

	get job(): Job | undefined {
		return this.task.value;
	}

	/** False while events are expected and do not come. */
	get connected(): boolean {
		return this.#live.connected || !this.job || isOver(this.job);
	}

	/** Takes over what an answer to cancel or retry said. */
	take(head: JobHead): void {
		if (this.job) this.#change({ ...this.job, ...head });
		this.#live.start();
	}

	/** How often to ask besides: somebody else may set a stuck job going again, and a lost stream may stay lost. */
	#seconds(): number | null {
		if (this.job?.state === "stuck") return 15;
		return this.connected ? null : 5;
	}

	#hear(event: ServerEvent): void {
		if (this.job) this.#change(withEvent(this.job, event));
	}

	#change(after: Job): void {
		const before = this.job;
		this.task.set(after);
		if (before) this.#following.changed?.(before, after);
		if (isOver(after)) this.#live.stop();
	}
}

/** The job after one more event; an event that it includes already changes nothing. */
export function withEvent(job: Job, { id, event, data }: ServerEvent): Job {
	const seq = Number(id);
	if (seq < job.seq || (event !== "step" && event !== "job")) return job;
	if (event === "job") return { ...job, ...(JSON.parse(data) as JobHead), seq };
	const step = JSON.parse(data) as Step;
	return { ...job, seq, steps: job.steps.map((known) => (known.step === step.step ? step : known)) };
}

/** Nothing more will happen by itself. A stuck job waits for a person. */
export function isOver(job: JobHead): boolean {
	return job.state === "done" || job.state === "undone" || job.state === "stuck";
}
