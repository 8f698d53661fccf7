import { expect, test } from "vitest";
import type { Step } from "../views.ts";
import { progress, timeLeft, timeTaken } from "./time-left.ts";

const now = Date.UTC(2026, 10, 22, 12);
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
const step = (state: Step["state"], expectedSeconds: number, more: Partial<Step> = {}) =>
	({ state, expectedSeconds, startedAt: null, endedAt: null, fraction: null, ...more }) as Step;
const steps = (...all: Step[]) => ({ steps: all });

test("what is left is what the present step lacks, and the steps to come", () => {
	const job = steps(step("done", 99), step("running", 10, { startedAt: at(-4) }), step("waiting", 30));
	expect(timeLeft(job, now)).toEqual({ seconds: 36, late: false });
});

test("a step that takes longer than usual makes the job late, and never less than nothing", () => {
	const job = steps(step("running", 10, { startedAt: at(-60) }), step("waiting", 5));
	expect(timeLeft(job, now)).toEqual({ seconds: 5, late: true });
});

test("a step that says how far it is, is believed more than the usual time", () => {
	const job = steps(step("running", 10, { startedAt: at(-60), fraction: 0.5 }));
	expect(timeLeft(job, now)).toEqual({ seconds: 60, late: false });
});

test("progress weighs each step by what it usually takes", () => {
	expect(progress(steps(step("done", 10), step("running", 20, { fraction: 0.5 }), step("waiting", 10)))).toBe(0.5);
	expect(progress(steps())).toBe(0);
});

test("a step that has ended took what it took; one that has not begun took nothing", () => {
	expect(timeTaken(step("done", 1, { startedAt: at(-10), endedAt: at(-7) }), now)).toBe(3);
	expect(timeTaken(step("waiting", 1), now)).toBeNull();
});
