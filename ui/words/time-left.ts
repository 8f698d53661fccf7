import type { Job, Step } from "../views.ts";

const ended: readonly Step["state"][] = ["done", "undone", "failed"];

/** Seconds until a job should be done, by what its steps usually take; `late` when the present one takes longer. */
export function timeLeft(job: Pick<Job, "steps">, now: number): { seconds: number; late: boolean } {
	let seconds = 0;
	let late = false;
	for (const step of job.steps.filter(({ state }) => !ended.includes(state))) {
		const left = step.state === "waiting" ? step.expectedSeconds : stepLeft(step, now);
		late ||= left < 0;
		seconds += Math.max(0, left);
	}
	return { seconds, late };
}

/** Seconds that a step has been at work, or was. */
export function timeTaken(step: Pick<Step, "startedAt" | "endedAt">, now: number): number | null {
	if (!step.startedAt) return null;
	const end = step.endedAt ? Date.parse(step.endedAt) : now;
	return Math.max(0, (end - Date.parse(step.startedAt)) / 1000);
}

/** How far a job is, 0 to 1, each step weighing what it usually takes. */
export function progress(job: Pick<Job, "steps">): number {
	const weight = (step: Step) => Math.max(step.expectedSeconds, 0.5);
	const all = job.steps.reduce((sum, step) => sum + weight(step), 0);
	const done = job.steps.reduce(
		(sum, step) => sum + weight(step) * (step.state === "done" ? 1 : (step.fraction ?? 0)),
		0,
	);
	return all === 0 ? 0 : done / all;
}

/** Below zero: it takes longer than usual. Where the step says how far it is, that and its pace are believed more. */
function stepLeft(step: Step, now: number): number {
	const taken = timeTaken(step, now) ?? 0;
	if (step.fraction && step.fraction > 0.05) return (taken / step.fraction) * (1 - step.fraction);
	return step.expectedSeconds - taken;
}
