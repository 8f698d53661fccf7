import type { ReactiveControllerHost } from "lit";
import type { Client } from "#protocol/client.ts";
import type { Job, Migration } from "../views.ts";
import { isOver } from "./followed-job.ts";
import { Poll } from "./poll.ts";
import { Task } from "./task.ts";

/** While a job runs its events say when to ask; this often at most. */
const pause = 1000;

/**
 * The migration that a job is about. It is asked for again whenever the job has moved on, every two seconds while it
 * runs, and now and then afterwards: requests are handed on, and the old copy goes, when the job is long over.
 */
export class FollowedMigration {
	readonly task: Task<Migration | null>;
	readonly #api: () => Client;
	readonly #job: () => Job;
	#askedAt = 0;

	constructor(host: ReactiveControllerHost, api: () => Client, job: () => Job) {
		this.#api = api;
		this.#job = job;
		this.task = new Task(host, (signal) => this.#fetch(signal));
		new Poll(host, () => this.#seconds(), this.task.run);
	}

	/** Null: not known, as when the deployment has moved again since. */
	get migration(): Migration | null {
		return this.task.value ?? null;
	}

	/** Call it when the job has changed. */
	hear(before: Job, after: Job): void {
		if (before.state !== after.state || Date.now() - this.#askedAt >= pause) void this.task.run();
	}

	#seconds(): number | null {
		if (!isOver(this.#job())) return 2;
		return this.migration && !this.migration.erasedAt ? 15 : null;
	}

	async #fetch(signal: AbortSignal): Promise<Migration | null> {
		this.#askedAt = Date.now();
		const { deployment, id } = this.#job();
		const known = this.migration?.id ?? (deployment && (await this.#of(deployment, signal)));
		if (!known) return null;
		const found = await this.#api()("GET /migrations/{id}", { path: { id: known }, signal });
		return found.job === id ? found : null;
	}

	async #of(id: string, signal: AbortSignal): Promise<string | null> {
		return (await this.#api()("GET /deployments/{id}", { path: { id }, signal })).migration;
	}
}
