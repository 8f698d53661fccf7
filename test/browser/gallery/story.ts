/** A node with a memory: what somebody does in the panel changes what it answers next. */
import { Problem } from "#protocol/problem.ts";
import type { Asked, Connection, World } from "./answers.ts";
import { choir, starting } from "./deployments.ts";
import { type Job, jobs, type Step } from "./jobs.ts";
import { anna, entitlement, page } from "./people.ts";
import { managed, pointed } from "./records.ts";
import { worlds } from "./worlds.ts";

export interface Story extends World {
	/** What was asked for, by operation, in order. */
	readonly asked: { name: string; body: unknown; key: unknown }[];
	/** From where each reader of the job's events went on. */
	readonly resumed: number[];
	signedIn: boolean;
	/** Lets the job go on by so many steps. */
	advance(steps?: number): void;
	/** Cuts every open stream, as a restart of the node does. */
	cut(): void;
}

export function openStory({ signedIn = true } = {}): Story {
	const job = fresh();
	const open = new Set<Connection & { end: () => void }>();
	const journal: { seq: number; event: string; data: unknown }[] = [];
	let done = 0;

	const write = (event: string, data: unknown) => {
		job.seq += 1;
		journal.push({ seq: job.seq, event, data });
		for (const reader of open) reader.send(job.seq, event, data);
	};
	const story: Story = {
		asked: [],
		resumed: [],
		signedIn,
		advance(steps = 1) {
			for (let n = 0; n < steps && done < job.steps.length; n++, done++) {
				change(job, done, { state: "done", endedAt: new Date().toISOString() }, write);
				if (done + 1 < job.steps.length)
					change(job, done + 1, { state: "running", startedAt: new Date().toISOString() }, write);
			}
			if (done < job.steps.length || job.state === "done") return;
			Object.assign(job, { state: "done", endedAt: new Date().toISOString(), canCancel: false });
			const { steps: _, seq: __, ...head } = job;
			write("job", head);
		},
		cut() {
			for (const reader of open) reader.end();
			open.clear();
		},
		answers: {
			...worlds.customer.answers,
			"GET /me": () => (story.signedIn ? anna : new Problem("not-signed-in")),
			"POST /sign-in": () => {
				story.signedIn = true;
				return anna;
			},
			"POST /sign-up": (asked) => {
				note("POST /sign-up", asked);
				story.signedIn = true;
				return anna;
			},
			"GET /deployments": () => page(job.state === "done" ? [choir] : []),
			"GET /me/entitlements": page([entitlement("e1", null)]),
			"GET /notices": page([]),
			"GET /domains": page([]),
			"POST /domains": guarded("POST /domains", () => managed),
			"GET /domains/{domain}/records": pointed,
			"POST /deployments": guarded("POST /deployments", () => ({ deployment: starting.id, job: job.id })),
			"GET /jobs/{id}": () => structuredClone(job),
			"PATCH /me": guarded("PATCH /me", (asked) => ({ ...anna, ...(asked.body as object) })),
		},
		streams: {
			"GET /jobs/{id}/events": async (connection) => {
				story.resumed.push(connection.after);
				const { promise, resolve } = Promise.withResolvers<void>();
				const reader = { ...connection, end: resolve };
				for (const { seq, event, data } of journal) if (seq > connection.after) connection.send(seq, event, data);
				open.add(reader);
				await Promise.race([promise, connection.gone]);
				open.delete(reader);
			},
		},
	};
	return story;

	function note(name: string, { body, headers }: Asked): void {
		story.asked.push({ name, body, key: headers["idempotency-key"] });
	}

	function guarded<Value>(name: string, give: (asked: Asked) => Value) {
		return (asked: Asked): Value | Problem => {
			note(name, asked);
			return story.signedIn ? give(asked) : new Problem("not-signed-in");
		};
	}
}

function fresh(): Job {
	const job = jobs.waiting();
	const [first, ...others] = job.steps;
	const running: Step = { ...(first as Step), state: "running", startedAt: new Date().toISOString() };
	return { ...job, state: "running", startedAt: new Date().toISOString(), steps: [running, ...others], seq: 100 };
}

function change(job: Job, at: number, part: Partial<Step>, write: (event: string, data: unknown) => void): void {
	const step: Step = { ...(job.steps[at] as Step), attempt: 1, ...part };
	job.steps[at] = step;
	write("step", step);
}
