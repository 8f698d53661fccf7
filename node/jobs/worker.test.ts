import { expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { Jobs } from "./jobs.ts";
import { Worker } from "./worker.ts";

test("a job is done, and everything that happened is told", async () => {
	const db = new Database(":memory:");
	const made: string[] = [];
	const step = (name: string) => ({ verb: name, title: name, seconds: 3, do: async () => void made.push(name) });
	const saga = { name: "build", steps: () => ({ ground: step("ground"), walls: step("walls") }) };
	const jobs = new Jobs(db, { build: { saga, tools: () => ({}) } });
	const ends: string[] = [];
	const worker = new Worker({ jobs, node: "north", onEnd: (job, outcome) => ends.push(`${job.id} ${outcome}`) });
	worker.start();
	const id = jobs.start("build", {}, { deployment: "d1" });
	const told = [];
	for await (const change of jobs.events(id, 0, new AbortController().signal, null)) told.push(change);
	expect(told.map(({ event, data }) => `${event} ${"step" in data ? data.step : ""} ${data.state}`)).toEqual([
		"step ground running",
		"job  running",
		"step ground done",
		"step walls running",
		"step walls done",
		"job  done",
	]);
	expect(made).toEqual(["ground", "walls"]);
	expect(ends).toEqual([`${id} done`]);
	expect(jobs.view(id, null)).toMatchObject({ state: "done", canCancel: false, canRetry: false, expectedSeconds: 6 });
	await worker.close();
});
