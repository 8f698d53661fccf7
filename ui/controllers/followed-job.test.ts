import { expect, test } from "vitest";
import type { Job, Step } from "../views.ts";
import { isOver, withEvent } from "./followed-job.ts";

const step = (name: string, state: Step["state"]) => ({ step: name, state }) as Step;
const job = { id: "j", state: "running", seq: 10, steps: [step("get", "done"), step("start", "running")] } as Job;
const event = (id: number, event: string, data: object) => ({ id: String(id), event, data: JSON.stringify(data) });

test("a step of an event replaces the one that was known, and nothing else", () => {
	const after = withEvent(job, event(11, "step", step("start", "done")));
	expect(after.steps).toEqual([step("get", "done"), step("start", "done")]);
	expect(after.seq).toBe(11);
	expect(job.steps[1]?.state).toBe("running");
});

test("an event from before what is known changes nothing", () => {
	expect(withEvent(job, event(9, "step", step("start", "waiting")))).toBe(job);
});

test("the head of the job keeps its steps", () => {
	const after = withEvent(job, event(12, "job", { id: "j", state: "done" }));
	expect(after.state).toBe("done");
	expect(after.steps).toBe(job.steps);
	expect(isOver(after)).toBe(true);
});

test("an event of a kind that is newer than this panel changes nothing", () => {
	expect(withEvent(job, event(12, "weather", { state: "rain" }))).toBe(job);
});

test("two events of one journal entry both count", () => {
	const first = withEvent(job, event(11, "step", step("start", "done")));
	expect(withEvent(first, event(11, "job", { id: "j", state: "done" })).state).toBe("done");
});
