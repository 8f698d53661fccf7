import type { Answer, Client } from "#protocol/client.ts";
import { bold, moment, printJson, printList, table } from "./output.ts";
import { confirm, type Terminal } from "./terminal.ts";

type Job = Answer<"GET /staff/jobs/{id}">;
type Step = Job["steps"][number];

const marks: Record<Step["state"], string> = {
	waiting: "○",
	running: "●",
	retrying: "↻",
	done: "✓",
	failed: "✗",
	undoing: "↶",
	undone: "↶",
	stuck: "!",
};

/** The newest first. */
export async function listJobs(node: Client, terminal: Terminal, json: boolean, limit: number) {
	const { items } = await node("GET /staff/jobs", { query: { limit } });
	printList(terminal, items, json, {
		ID: (job) => job.id,
		WHAT: (job) => job.kind,
		DOMAIN: (job) => job.domain ?? "–",
		STATE: (job) => job.state,
		BEGAN: (job) => moment(job.startedAt ?? job.createdAt),
		ENDED: (job) => moment(job.endedAt),
	});
}

export async function showJob(node: Client, terminal: Terminal, json: boolean, id: string) {
	const job = await node("GET /staff/jobs/{id}", { path: { id } });
	if (json) return printJson(terminal, job);
	const head = `${job.kind} ${job.domain ?? ""}: ${job.state}`;
	terminal.out(`${terminal.colour ? bold(head) : head}\n\n`);
	terminal.out(
		table(
			job.steps,
			{
				" ": (step) => marks[step.state],
				STEP: (step) => step.title,
				STATE: (step) => step.state,
				BEGAN: (step) => moment(step.startedAt),
				NOTE: (step) => step.problem?.detail ?? step.note ?? "",
			},
			terminal.colour,
		),
	);
	if (job.canRetry) terminal.err(`\nTry it again with: fediversity job retry ${job.id}\n`);
}

/** Stops the job and undoes what it did; it is over only when `job show` says so. */
export async function cancelJob(node: Client, terminal: Terminal, json: boolean, id: string, yes: boolean) {
	const job = await node("GET /staff/jobs/{id}", { path: { id } });
	await confirm(terminal, yes, `What ${job.kind} did so far is undone.\n`, job.domain ?? job.id);
	changed(terminal, json, await node("POST /staff/jobs/{id}/cancel", { path: { id } }));
}

export async function retryJob(node: Client, terminal: Terminal, json: boolean, id: string) {
	changed(terminal, json, await node("POST /staff/jobs/{id}/retry", { path: { id } }));
}

function changed(terminal: Terminal, json: boolean, job: { id: string; state: string }) {
	if (json) printJson(terminal, job);
	else terminal.err(`The job is now ${job.state}. Follow it with: fediversity job show ${job.id}\n`);
}
