/** Jobs in every state, as the journal of a node would tell them. */
import type { Answer } from "#protocol/client.ts";
import { ago, ahead, seconds } from "./moments.ts";

export type Job = Answer<"GET /jobs/{id}">;
export type Step = Job["steps"][number];

const plan: readonly [verb: string, service: string | null, title: string, expected: number][] = [
	["records", null, "Point the domain here", 2],
	["get", "snac", "Get snac", 12],
	["get", "wiki", "Get Federated Wiki", 25],
	["configure", "snac", "Write the configuration of snac", 1],
	["start", "snac", "Start snac", 1],
	["start", "wiki", "Start Federated Wiki", 6],
	["account", "snac", "Make the first account of snac", 1],
	["check", null, "Check that everything answers from outside", 3],
];

const waiting: Step[] = plan.map(([verb, service, title, expectedSeconds]) => ({
	step: service ? `${verb}:${service}` : verb,
	verb,
	service,
	title,
	state: "waiting",
	startedAt: null,
	endedAt: null,
	expectedSeconds,
	fraction: null,
	note: null,
	problem: null,
	attempt: 0,
	nextAttemptAt: null,
}));

/** Begun so long ago that `done` steps fit in and the next one has run for `running` seconds. */
function begun(done: number, running = 4): Step[] {
	const before = waiting.slice(0, done).reduce((sum, { expectedSeconds }) => sum + expectedSeconds * 0.8, running);
	let at = before;
	return waiting.map((step, n) => {
		if (n >= done) return step;
		const startedAt = ago(at * seconds);
		at -= step.expectedSeconds * 0.8;
		return { ...step, state: "done", attempt: 1, startedAt, endedAt: ago(at * seconds) };
	});
}

export function job(state: Job["state"], steps: Step[], more: Partial<Job> = {}): Job {
	const startedAt = steps[0]?.startedAt ?? null;
	return {
		id: "j2",
		kind: "deploy",
		deployment: "d1",
		domain: "choir.localhost",
		state,
		createdAt: startedAt ?? ago(2 * seconds),
		startedAt,
		endedAt: ["done", "undone", "stuck"].includes(state) ? ago(3 * seconds) : null,
		expectedSeconds: 51,
		canCancel: state === "running" || state === "waiting",
		canRetry: state === "stuck" || state === "undone",
		seq: 20,
		steps,
		...more,
	};
}

export const at = (steps: Step[], n: number, change: Partial<Step>) =>
	steps.map((step, k) => (k === n ? { ...step, attempt: 1, startedAt: ago(4 * seconds), ...change } : step));

const notReady = {
	code: "service-not-ready",
	detail: "Federated Wiki did not answer within 30 seconds",
	params: { service: "wiki", seconds: "30" },
};
const notPointed = {
	code: "domain-not-pointed",
	detail: "The records are not right yet",
	params: { domain: "choir.localhost" },
};

/** Made anew whenever they are asked for, so that what runs has always just begun. */
export const jobs = {
	waiting: () => job("waiting", waiting),
	running: () => job("running", at(begun(2), 2, { state: "running", fraction: 0.58, note: "49 of 84 MB" })),
	late: () => job("running", at(begun(5), 5, { state: "running", startedAt: ago(40 * seconds) })),
	retrying: () =>
		job(
			"running",
			at(begun(5), 5, { state: "retrying", attempt: 2, problem: notReady, nextAttemptAt: ahead(9 * seconds) }),
		),
	dns: () =>
		job(
			"running",
			at(begun(0), 0, { state: "retrying", attempt: 4, problem: notPointed, nextAttemptAt: ahead(20 * seconds) }),
		),
	cancelling: () => job("cancelling", at(begun(5), 4, { state: "undoing" })),
	done: () => job("done", begun(8, 3)),
	undone: () =>
		job(
			"undone",
			at(takenBack(begun(5)), 5, { state: "failed", endedAt: ago(3 * seconds), problem: notReady, attempt: 3 }),
		),
	stuck: () =>
		job("stuck", at(begun(5), 5, { state: "stuck", endedAt: ago(3 * seconds), problem: notReady, attempt: 3 })),
	unfinished: (): Job => ({ ...jobs.undone(), kind: "repair", canRetry: false }),
	removed: () => job("done", [stopped()], { kind: "remove" }),
};

const takenBack = (steps: Step[]) =>
	steps.map((step): Step => (step.state === "done" ? { ...step, state: "undone" } : step));

const stopped = (): Step => ({
	...(waiting[4] as Step),
	step: "stop",
	verb: "stop",
	service: null,
	state: "done",
	startedAt: ago(5 * seconds),
	endedAt: ago(3 * seconds),
});

export const logLines: Answer<"GET /jobs/{id}/log">["lines"] = [
	{ seq: 1, at: ago(12 * seconds), step: "records", line: "TXT _fediversity.choir.localhost: set" },
	{ seq: 2, at: ago(11 * seconds), step: "get:snac", line: "snac2 2.75 is in the cache already" },
	{
		seq: 3,
		at: ago(9 * seconds),
		step: "get:wiki",
		line: "npm install wiki@0.40.2 --prefix /var/cache/fediversity/services/wiki/0.40.2 --no-audit",
	},
	{ seq: 4, at: ago(5 * seconds), step: null, line: "lease renewed" },
];
