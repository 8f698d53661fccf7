import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { building, type Site } from "../../test/jobs/building.ts";
import { Database } from "../store/database.ts";
import { type JobChange, Jobs } from "./jobs.ts";
import { Worker } from "./worker.ts";

const never = new AbortController().signal;
const pace = { pause: async () => {} };
let db: Database;
let site: Site;
let jobs: Jobs;
let worker: Worker;

beforeEach(() => {
	db = new Database(":memory:");
	site = { house: new Set(), broken: {} };
	jobs = new Jobs(db, {
		build: { saga: building(), tools: () => site },
		settle: { saga: building("walls"), tools: () => site },
	});
	// Nothing here may need a beat: what happens in the same process is heard at once.
	worker = new Worker({ jobs, node: "north", beat: 1_000_000, pace });
});

afterEach(async () => {
	await worker.close();
	jobs.close();
	db.close();
});

const start = (about: { deployment?: string; customer?: string } = {}, kind = "build") =>
	jobs.start(kind, { built: 0 }, about);
const refused = (code: string) => expect.objectContaining({ code });

function customerWith(id: string, deployment: string, domain: string) {
	db.run("INSERT INTO customer VALUES (:id, :id, :id, :id, '', 'en', 0, NULL)", { id });
	db.run("INSERT INTO deployment VALUES (:deployment, :id, :domain, '{}', 'starting', 0, NULL)", {
		deployment,
		id,
		domain,
	});
}

async function ended(id: string, until = (state: string) => ["done", "undone", "stuck"].includes(state)) {
	for await (const { event, data } of jobs.events(id, 0, never, null))
		if (event === "job" && until(data.state)) return data;
	return jobs.head(id, null);
}

async function all(changes: AsyncIterable<JobChange>) {
	const told: JobChange[] = [];
	for await (const change of changes) told.push(change);
	return told;
}

describe("starting", () => {
	test("gives a job that waits, with what is to be done", () => {
		customerWith("ada", "d1", "choir.example");
		const id = start({ deployment: "d1", customer: "ada" });
		const view = jobs.view(id, "ada");
		expect(view).toMatchObject({
			id,
			kind: "build",
			deployment: "d1",
			domain: "choir.example",
			state: "waiting",
			startedAt: null,
			endedAt: null,
			expectedSeconds: 180,
			canCancel: true,
			canRetry: false,
			seq: 0,
		});
		expect(view.steps[0]).toEqual({
			step: "ground",
			verb: "build",
			service: null,
			title: "Build the ground",
			state: "waiting",
			startedAt: null,
			endedAt: null,
			expectedSeconds: 60,
			fraction: null,
			note: null,
			problem: null,
			attempt: 0,
			nextAttemptAt: null,
		});
	});

	test("a second job of the deployment is refused until the first has ended, whatever else is written with it", async () => {
		const first = start({ deployment: "d1" });
		const asked = () =>
			db.transaction(() => {
				db.run("INSERT INTO secret VALUES ('half', x'00', 0)");
				return start({ deployment: "d1" });
			});
		expect(asked).toThrow(refused("deployment-busy"));
		expect(db.all("SELECT * FROM secret")).toEqual([]);
		expect(jobs.ofDeployment("d1")).toEqual({ id: first, busy: true });
		start({ deployment: "d2" });
		start();
		start();

		worker.start();
		expect((await ended(first)).state).toBe("done");
		expect(jobs.ofDeployment("d1")).toEqual({ id: first, busy: false });
		site.house.clear();
		const second = asked();
		expect(jobs.ofDeployment("d1")).toEqual({ id: second, busy: true });
		expect(jobs.ofDeployment("d3")).toBeUndefined();
	});

	test("a stuck job still keeps others from its deployment", async () => {
		site.broken = { part: "roof", undo: "walls" };
		worker.start();
		expect((await ended(start({ deployment: "d1" }))).state).toBe("stuck");
		expect(() => start({ deployment: "d1" })).toThrow(refused("deployment-busy"));
	});

	test("a job in a transaction that is taken back was never there", () => {
		worker.start();
		const failing = () =>
			db.transaction(() => {
				start();
				throw new Error("no");
			});
		expect(failing).toThrow("no");
		expect(db.all("SELECT * FROM job")).toEqual([]);
	});

	test("an unknown kind is a bug", () => {
		expect(() => jobs.start("dance", {})).toThrow("dance");
	});
});

test("somebody else's job is as good as none, in every way of asking", () => {
	const id = start({ customer: "ada" });
	for (const ask of [
		() => jobs.head(id, "eve"),
		() => jobs.view(id, "eve"),
		() => jobs.cancel(id, "eve"),
		() => jobs.retry(id, "eve"),
		() => jobs.log(id, 0, "eve"),
		() => jobs.events(id, 0, never, "eve"),
		() => jobs.head("nothing", "ada"),
		() => jobs.head("nothing", null),
		() => jobs.head(start(), "ada"),
	])
		expect(ask).toThrow(refused("not-found"));
	expect(jobs.head(id, "ada").id).toBe(id);
	expect(jobs.head(id, null).id).toBe(id);
	expect(jobs.head(id, null).state).toBe("waiting");
});

describe("lists", () => {
	test("come in pages, newest first, of one customer, of one deployment, or of all", () => {
		const ids = ["ada", "eve", "ada", "ada", "eve"]
			.map((customer, n) => start({ customer, deployment: `d${n}` }))
			.reverse();
		const walk = (customer: string | null) => {
			const seen: string[] = [];
			let after: string | undefined;
			do {
				const page = jobs.list({ customer, limit: 2, after });
				seen.push(...page.items.map(({ id }) => id));
				after = page.next ?? undefined;
			} while (after);
			return seen;
		};
		expect(walk(null).sort()).toEqual([...ids].sort());
		expect(walk("ada").length).toBe(3);
		expect(walk("nobody")).toEqual([]);
		expect(jobs.list({ customer: "ada", deployment: "d0", limit: 9 }).items.map(({ id }) => id)).toEqual([ids[4]]);
		expect(jobs.list({ customer: "ada", deployment: "d1", limit: 9 }).items).toEqual([]);
	});

	test("say of each job what its head says", async () => {
		site.broken = { part: "roof", undo: "walls" };
		worker.start();
		await ended(start());
		const done = start({}, "settle");
		await ended(done);
		for (const item of jobs.list({ customer: null, limit: 9 }).items) expect(item).toEqual(jobs.head(item.id, null));
	});
});

describe("cancelling", () => {
	test("a job that waits undoes nothing, but is undone by the worker", async () => {
		const id = start();
		expect(jobs.cancel(id, null)).toMatchObject({ state: "cancelling", canCancel: false });
		expect(jobs.cancel(id, null).state).toBe("cancelling");
		worker.start();
		expect((await ended(id)).state).toBe("undone");
		expect(() => jobs.cancel(id, null)).toThrow(refused("job-not-cancellable"));
	});

	test("is refused once a job turned back by itself", async () => {
		site.broken = { part: "walls", undo: "ground" };
		worker.start();
		const id = start();
		expect(await ended(id)).toMatchObject({ state: "stuck", canCancel: false, canRetry: true });
		expect(() => jobs.cancel(id, null)).toThrow(refused("job-not-cancellable"));
	});

	test("is refused past the pivot, while it runs and when it is stuck", async () => {
		site.broken = { part: "walls" };
		const inside: unknown[] = [];
		site.during = (what) => {
			if (what === "do ground") inside.push(jobs.head(id, null).canCancel);
			if (what !== "do walls") return;
			inside.push(jobs.head(id, null).canCancel);
			expect(() => jobs.cancel(id, null)).toThrow(refused("job-not-cancellable"));
		};
		worker.start();
		const id = start({}, "settle");
		expect(await ended(id)).toMatchObject({ state: "stuck", canCancel: false, canRetry: true });
		expect(inside).toEqual([true, false, false, false]);
	});

	test("reaches the step that runs, at once, and is over when that is undone", async () => {
		const told = Promise.withResolvers<unknown>();
		site.during = (what, { signal }) =>
			what === "do walls" &&
			new Promise((_, reject) => {
				signal.addEventListener("abort", () => {
					told.resolve(signal.reason);
					reject(signal.reason);
				});
				queueMicrotask(() => jobs.cancel(id, null));
			});
		worker.start();
		const id = start();
		expect(await told.promise).toEqual(new Problem("cancelled"));
		expect((await ended(id)).state).toBe("undone");
		expect(site.house.size).toBe(0);
		expect(jobs.view(id, null).steps.map(({ state, problem }) => [state, problem?.code])).toEqual([
			["undone", undefined],
			["undone", "cancelled"],
			["waiting", undefined],
		]);
	});
});

describe("trying again", () => {
	test("a stuck job goes on where it was", async () => {
		site.broken = { part: "roof" };
		worker.start();
		const id = start({}, "settle");
		expect((await ended(id)).state).toBe("stuck");
		delete site.broken.part;
		expect(jobs.retry(id, null)).toMatchObject({ state: "running", canRetry: false });
		expect((await ended(id, (state) => state === "done")).state).toBe("done");
	});

	test("a stuck cancel goes on backwards, still cancelling", async () => {
		site.broken = { undo: "ground" };
		site.during = (what) => what === "do walls" && jobs.cancel(id, null) && undefined;
		worker.start();
		const id = start();
		expect((await ended(id)).state).toBe("stuck");
		site.broken = {};
		expect(jobs.retry(id, null).state).toBe("cancelling");
		expect((await ended(id, (state) => state === "undone")).state).toBe("undone");
	});

	test("is for stuck jobs only", async () => {
		const id = start();
		expect(() => jobs.retry(id, null)).toThrow(refused("job-not-retryable"));
		site.broken = { part: "walls" };
		worker.start();
		expect((await ended(id)).state).toBe("undone");
		expect(() => jobs.retry(id, null)).toThrow(refused("job-not-retryable"));
	});
});

describe("events", () => {
	test("a reader who comes back at any point gets the rest, and ends where everybody ends", async () => {
		site.broken = { part: "roof" };
		worker.start();
		const id = start();
		const told = await all(jobs.events(id, 0, never, null));
		expect(told.at(-1)).toMatchObject({ event: "job", data: { state: "undone" } });
		expect(told.length).toBeGreaterThan(15);
		for (const [n, { seq }] of told.entries()) {
			const rest = await all(jobs.events(id, seq, never, null));
			// What shares an entry with something unsaid comes again; nothing is left out, nothing older comes.
			expect(rest.slice(-(told.length - n - 1) || told.length)).toEqual(told.slice(n + 1));
			expect(rest.length - (told.length - n - 1)).toBeLessThanOrEqual(1);
		}
	});

	test("the last of each step and of the job are what the view says, and its `seq` leads to the end", async () => {
		worker.start();
		const id = start();
		const told = await all(jobs.events(id, 0, never, null));
		const view = jobs.view(id, null);
		const last = new Map(told.map((change) => [change.event === "step" ? change.data.step : "job", change.data]));
		for (const step of view.steps) expect(last.get(step.step)).toEqual(step);
		expect(last.get("job")).toEqual(jobs.head(id, null));
		expect(await all(jobs.events(id, view.seq, never, null))).toEqual([]);
	});

	test("a reader who joins in the middle of the work misses nothing", async () => {
		const readers: Promise<JobChange[]>[] = [];
		site.during = (_what, { progress }) => {
			readers.push(all(jobs.events(id, 0, never, null)));
			progress(0.5, "half");
			readers.push(all(jobs.events(id, 0, never, null)));
		};
		worker.start();
		const id = start();
		await ended(id);
		const [first, ...others] = await Promise.all(readers);
		expect(others.length).toBe(5);
		for (const told of others) expect(told).toEqual(first);
		expect(first?.filter(({ data }) => "note" in data && data.note === "half").length).toBeGreaterThan(2);
	});

	test("a slow reader gets everything too", async () => {
		worker.start();
		const id = start();
		const slow: JobChange[] = [];
		for await (const change of jobs.events(id, 0, never, null)) {
			await new Promise((resolve) => setTimeout(resolve, 3));
			slow.push(change);
		}
		expect(slow).toEqual(await all(jobs.events(id, 0, never, null)));
	});

	test("a number from another life of the node means everything", async () => {
		worker.start();
		const id = start();
		await ended(id);
		expect(await all(jobs.events(id, 1_000_000, never, null))).toEqual(await all(jobs.events(id, 0, never, null)));
	});

	test("end when the reader goes, also before anything happened", async () => {
		const id = start();
		const reading = new AbortController();
		const told = all(jobs.events(id, 0, reading.signal, null));
		reading.abort();
		expect(await told).toEqual([]);
		expect(await all(jobs.events(id, 0, reading.signal, null))).toEqual([]);
	});

	test("end when the node closes", async () => {
		const id = start();
		const told = all(jobs.events(id, 0, never, null));
		jobs.close();
		expect(await told).toEqual([]);
	});

	test("go on after stuck, for somebody may try again", async () => {
		site.broken = { part: "walls", undo: "ground" };
		worker.start();
		const id = start();
		const told = all(jobs.events(id, 0, never, null));
		await ended(id);
		site.broken = {};
		jobs.retry(id, null);
		const states = (await told).flatMap(({ event, data }) => (event === "job" ? [data.state] : []));
		expect(states.filter((state, n) => state !== states[n - 1])).toEqual(["running", "stuck", "running", "undone"]);
	});
});

describe("raw logs", () => {
	test("keep every line in order, with the step that said it", async () => {
		site.during = (what, { log }) => log(`${what}: ${"x".repeat(5000)}`);
		worker.start();
		const id = start();
		await ended(id);
		const lines = jobs.log(id, 0, null);
		expect(lines.map(({ step, line }) => [step, line.slice(0, 10), line.length])).toEqual([
			["ground", "do ground:", 2000],
			["walls", "do walls: ", 2000],
			["roof", "do roof: x", 2000],
		]);
		expect(jobs.log(id, lines[1]?.seq ?? 0, null)).toEqual(lines.slice(2));
	});

	test("of a job that never stops talking keep the latest lines", () => {
		const id = start();
		for (let n = 0; n < 25_000; n++) jobs.logs.write(id, null, `${n}`);
		let after = 0;
		const kept: string[] = [];
		for (let lines = jobs.log(id, after, null); lines.length > 0; lines = jobs.log(id, after, null)) {
			kept.push(...lines.map(({ line }) => line));
			after = lines.at(-1)?.seq ?? 0;
		}
		expect(kept.at(-1)).toBe("24999");
		expect(kept.length).toBeLessThanOrEqual(20_000);
		expect(kept.length).toBeGreaterThanOrEqual(10_000);
	});
});

test("a job whose kind or steps the program no longer knows can still be read", async () => {
	worker.start();
	const id = start();
	await ended(id);
	const later = new Jobs(db, { build: { saga: { ...building(), steps: () => ({}) }, tools: () => site } });
	expect(later.view(id, null)).toMatchObject({ state: "done", steps: [], canCancel: false });
	const strange = new Jobs(db, {});
	expect(strange.view(id, null)).toMatchObject({ state: "done", kind: "build", expectedSeconds: 0 });
	expect((await all(strange.events(id, 0, never, null))).at(-1)).toMatchObject({ event: "job" });
});
