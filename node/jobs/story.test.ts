import { describe, expect, test } from "vitest";
import { building } from "../../test/jobs/building.ts";
import type { Happening } from "./journal.ts";
import type { JobEvent, StepEvent } from "./saga.ts";
import { IllegalStory, Story } from "./story.ts";

const problem = { code: "bug", detail: "", params: {} };
const facts: Partial<Record<StepEvent["type"], object>> = {
	progress: { fraction: 0.5, note: "half" },
	retrying: { problem, nextAt: 5 },
	done: { result: { built: 1 } },
	failed: { problem },
	stuck: { problem },
};
const step = (name: string, ...types: StepEvent["type"][]): Happening[] =>
	types.map((type) => ({ step: name, event: { type, ...facts[type] } as StepEvent }));
const job = (type: JobEvent["type"], outcome = "done"): Happening => ({
	step: null,
	event: { type, outcome, problem } as JobEvent,
});

function told(happenings: Happening[], pivot?: string) {
	const story = new Story(building(pivot).steps({ built: 0 }), { built: 0 });
	happenings.forEach((happening, n) => {
		story.hear({ seq: n + 1, at: (n + 1) * 10, ...happening });
	});
	return story;
}

const built = [...step("ground", "started", "done"), ...step("walls", "started", "done")];
const all = [...built, ...step("roof", "started", "done")];

test("a job waits until its first step, runs until its last, and then ends", () => {
	expect(told([])).toMatchObject({ state: "waiting", startedAt: null });
	expect(told(built)).toMatchObject({ state: "running", startedAt: 10, endedAt: null });
	expect(told(all)).toMatchObject({ state: "running" });
	expect(told([...all, job("ended")])).toMatchObject({ state: "done", outcome: "done", endedAt: 70 });
});

test("a step remembers what happened to it", () => {
	expect(told(step("ground", "started", "progress")).step("ground")).toEqual({
		state: "running",
		startedAt: 10,
		endedAt: null,
		fraction: 0.5,
		note: "half",
		failure: null,
		problem: null,
		attempt: 1,
		nextAttemptAt: null,
		interrupted: 0,
	});
	expect(told(step("ground", "started", "retrying")).step("ground")).toMatchObject({
		state: "retrying",
		attempt: 2,
		problem,
		nextAttemptAt: 5,
	});
	expect(told(step("ground", "started", "retrying", "started", "done")).step("ground")).toMatchObject({
		state: "done",
		attempt: 2,
		problem: null,
		endedAt: 40,
		startedAt: 10,
	});
	expect(
		told(step("ground", "started", "failed", "undo-started", "retrying", "undo-started", "undone")).step("ground"),
	).toMatchObject({
		state: "undone",
		problem,
		attempt: 2,
		endedAt: 60,
	});
});

test("an attempt cut short by a power cut is the same attempt", () => {
	expect(told(step("ground", "started", "started")).step("ground").attempt).toBe(1);
	expect(told(step("ground", "started", "retrying", "started", "started")).step("ground").attempt).toBe(2);
	const undoing = ["started", "failed", "undo-started", "undo-started", "undo-started"] as const;
	expect(told(step("ground", ...undoing)).step("ground").interrupted).toBe(2);
	expect(told(step("ground", ...undoing, "retrying", "undo-started")).step("ground").interrupted).toBe(0);
});

test("a stuck job says why; tried again, it has all its attempts again", () => {
	const stuck = told(step("ground", "started", "retrying", "started", "stuck"), "ground");
	expect(stuck).toMatchObject({ state: "stuck", problem, canCancel: false });
	expect(stuck.move()).toBeNull();
	const again = told(
		[
			...step("ground", "started", "retrying", "started", "stuck"),
			job("retry-requested"),
			...step("ground", "started"),
		],
		"ground",
	);
	expect(again).toMatchObject({ state: "running", problem: null });
	expect(again.step("ground").attempt).toBe(1);
});

test("a job stuck by itself shows the reason at the step that does not go on", () => {
	const story = told([...step("ground", "started", "done"), job("stuck")]);
	expect(story.state).toBe("stuck");
	expect(story.step("walls").problem).toEqual(problem);
});

test("what turned a job back stays the reason, whatever happens on the way", () => {
	const story = told([
		...step("ground", "started", "done"),
		job("cancel-requested"),
		...step("ground", "undo-started", "stuck"),
		job("retry-requested"),
		...step("ground", "undo-started", "undone"),
		job("ended", "undone"),
	]);
	expect(story).toMatchObject({ state: "undone", problem: { code: "cancelled" } });
	const failedToo = told([...step("ground", "started"), job("cancel-requested"), ...step("ground", "failed")]);
	expect(failedToo).toMatchObject({ problem: { code: "cancelled" } });
	expect(failedToo.step("ground").problem).toEqual(problem);
});

describe("what cannot be true is refused", () => {
	const impossible: [why: string, story: Happening[], then: Happening | undefined, pivot?: string][] = [
		["a step before its turn", step("ground", "started"), step("walls", "started")[0]],
		["a step that was never there", [], step("cellar", "started")[0]],
		["the end before the last step", built, job("ended")],
		["an undone end of a job that never turned back", all, job("ended", "undone")],
		["a done end of a job that turned back", [job("cancel-requested")], job("ended", "done")],
		["an undone end with a step still standing", [...built, job("cancel-requested")], job("ended", "undone")],
		["undoing without a reason", built, step("walls", "undo-started")[0]],
		["undoing what lies beneath first", [...built, job("cancel-requested")], step("ground", "undo-started")[0]],
		["going on after it was cancelled", [...built, job("cancel-requested")], step("roof", "started")[0]],
		[
			"trying again after it was cancelled",
			[...step("ground", "started"), job("cancel-requested")],
			step("ground", "retrying")[0],
		],
		["failing past the pivot", step("ground", "started"), step("ground", "failed")[0], "ground"],
		["cancelling past the pivot", step("ground", "started"), job("cancel-requested"), "ground"],
		["cancelling past the pivot, later", built, job("cancel-requested"), "ground"],
		["cancelling twice", [job("cancel-requested")], job("cancel-requested")],
		["cancelling what turned back by itself", step("ground", "started", "failed"), job("cancel-requested")],
		["trying again what is not stuck", built, job("retry-requested")],
		["going on while stuck", step("ground", "started", "stuck"), step("ground", "started")[0]],
		["getting stuck twice", step("ground", "started", "stuck"), job("stuck")],
		["anything after the end", [...all, job("ended")], job("cancel-requested")],
		["any step after the end", [...all, job("ended")], step("ground", "started")[0]],
	];
	test.each(impossible)("%s", (_why, happenings, then, pivot) => {
		const story = told(happenings, pivot);
		const before = JSON.stringify([story, [...story.steps], story.state, story.problem]);
		expect(() => story.hear({ seq: 99, at: 0, ...(then as Happening) })).toThrow(IllegalStory);
		expect(JSON.stringify([story, [...story.steps], story.state, story.problem])).toBe(before);
	});
});

test("steps whose names are numbers are refused, since they would not keep their order", () => {
	expect(() => new Story({ "2": {}, "1": {} }, {})).toThrow("numbers");
});
