import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { building, parts, type Site } from "../../test/jobs/building.ts";
import { Database } from "../store/database.ts";
import { Jobs } from "./jobs.ts";
import type { Saga, Work } from "./saga.ts";
import { Worker, type WorkerParts } from "./worker.ts";

const never = new AbortController().signal;
const beat = 5;
let db: Database;
let site: Site;
let jobs: Jobs;
let workers: Worker[];
let clock: { shift: number };
const now = () => Date.now() + clock.shift;

beforeEach(() => {
	db = new Database(":memory:");
	site = { house: new Set(), broken: {} };
	clock = { shift: 0 };
	jobs = new Jobs(
		db,
		{ build: { saga: building(), tools: () => site }, wait: { saga: waiting, tools: () => doors } },
		now,
	);
	workers = [];
	doors.clear();
});

afterEach(async () => {
	for (const door of doors.values()) door.open();
	for (const worker of workers) await worker.close();
	jobs.close();
	db.close();
});

function work(parts: Partial<WorkerParts> = {}) {
	const worker = new Worker({ jobs, node: "north", beat, pace: { pause: async () => {} }, ...parts });
	workers.push(worker);
	worker.start();
	return worker;
}

/** Jobs that wait at a door which the test opens; `deaf` ones do not care what they are told. */
type Door = { reached: Promise<Work>; arrive(work: Work): void; opened: Promise<void>; open(): void };
const doors = new Map<string, Door>();
function door(name: string): Door {
	const [reached, opened] = [Promise.withResolvers<Work>(), Promise.withResolvers<void>()];
	const made = { reached: reached.promise, arrive: reached.resolve, opened: opened.promise, open: opened.resolve };
	doors.set(name, made);
	return made;
}

const waiting: Saga<{ name: string; deaf?: boolean }, typeof doors> = {
	name: "wait",
	steps: () => ({
		wait: {
			verb: "wait",
			title: "Wait",
			seconds: 1,
			async do({ name, deaf }, tools, work) {
				const it = tools.get(name) ?? door(name);
				it.arrive(work);
				const told = new Promise<never>((_, reject) => {
					work.signal.addEventListener("abort", () => reject(work.signal.reason));
				});
				told.catch(() => {});
				await (deaf ? it.opened : Promise.race([it.opened, told]));
			},
		},
	}),
};

async function state(id: string, wanted: string) {
	for await (const { event, data } of jobs.events(id, 0, never, null))
		if (event === "job" && data.state === wanted) return data;
	throw new Error(`${id} ended without being ${wanted}`);
}

async function until(holds: () => boolean) {
	while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const wait = (name: string, deaf = false) => ({ door: door(name), id: jobs.start("wait", { name, deaf }) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("side by side", () => {
	test("so many jobs are at work, and the next begins when one ends", async () => {
		work({ limit: 2 });
		const [one, two, three] = [wait("one"), wait("two"), wait("three")] as const;
		await Promise.all([one.door.reached, two.door.reached]);
		await turn();
		expect(jobs.head(three.id, null).state).toBe("waiting");
		two.door.open();
		await three.door.reached;
		expect(jobs.head(one.id, null).state).toBe("running");
	});

	test("a job that only waits to try again leaves its place to others, and gets one again", async () => {
		const rest = Promise.withResolvers<void>();
		site.broken = { part: "ground" };
		work({ limit: 1, pace: { pause: () => rest.promise } });
		const building = jobs.start("build", { built: 0 });
		const other = wait("other");
		await other.door.reached;
		expect(jobs.view(building, null)).toMatchObject({ state: "running", steps: [{ state: "retrying" }, {}, {}] });
		delete site.broken.part;
		rest.resolve();
		await turn();
		expect(jobs.view(building, null).steps[0]?.state).toBe("retrying");
		other.door.open();
		await state(building, "done");
	});

	test("a stuck job and a step that never ends keep nobody from working", async () => {
		work({ limit: 1, pace: { pause: async () => {}, grace: 1 } });
		const deaf = wait("deaf", true);
		await deaf.door.reached;
		jobs.cancel(deaf.id, null);
		await state(deaf.id, "stuck");
		site.broken = { part: "roof", undo: "roof" };
		await state(jobs.start("build", { built: 0 }), "stuck");
		const other = wait("other");
		other.door.open();
		await state(other.id, "done");
	});
});

describe("a step that does not end", () => {
	test("keeps its job from being touched until it has, and from every other worker", async () => {
		work({ pace: { grace: 1 } });
		const { door, id } = wait("deaf", true);
		await door.reached;
		jobs.cancel(id, null);
		expect(await state(id, "stuck")).toMatchObject({ canCancel: false, canRetry: false });
		for (const steer of [() => jobs.retry(id, null), () => jobs.cancel(id, null)])
			expect(steer).toThrow(expect.objectContaining({ code: "job-hangs" }));
		const freed = (async () => {
			for await (const { event, data } of jobs.events(id, jobs.view(id, null).seq, never, null))
				if (event === "job" && data.canRetry) return;
		})();
		door.open();
		await freed;
		jobs.retry(id, null);
		await state(id, "undone");
	});
});

describe("the end", () => {
	const ends: unknown[] = [];
	beforeEach(() => void ends.splice(0));
	const onEnd: NonNullable<WorkerParts["onEnd"]> = (job, outcome, problem) => {
		ends.push([job.id, job.state, job.input, job.customer, outcome, problem?.code]);
		db.run("INSERT INTO secret VALUES (:name, x'00', 0)", { name: `end ${ends.length}` });
	};

	test.each([
		["done", {}, undefined],
		["undone", { part: "walls" }, "bug"],
		["stuck", { part: "walls", undo: "ground" }, "bug"],
	])("%s is told once, with the reason", async (outcome, broken, code) => {
		site.broken = broken;
		work({ onEnd });
		const id = jobs.start("build", { built: 0 }, { customer: "ada" });
		await state(id, outcome);
		expect(ends).toEqual([[id, outcome, { built: 0 }, "ada", outcome, code]]);
	});

	test("of a cancelled job says so", async () => {
		site.during = (what) => what === "do walls" && jobs.cancel(id, null) && undefined;
		work({ onEnd });
		const id = jobs.start("build", { built: 0 });
		await state(id, "undone");
		expect(ends).toEqual([[id, "undone", { built: 0 }, null, "undone", "cancelled"]]);
	});

	test("and what hangs on it happen together or not at all", async () => {
		let failures = 2;
		work({
			onEnd: (...end) => {
				onEnd(...end);
				if (failures-- > 0) throw new Error("no room for a notice");
			},
		});
		const id = jobs.start("build", { built: 0 });
		await state(id, "done");
		expect(ends.length).toBe(3);
		expect(db.all("SELECT name FROM secret")).toEqual([{ name: "end 3" }]);
		expect(jobs.ledger.journal.read(id).filter(({ event }) => event.type === "ended").length).toBe(1);
		expect(site.house.size).toBe(3);
	});
});

describe("closing", () => {
	test("fails nothing; the next life of the node goes on at once, without waiting for a lease to die", async () => {
		const first = work({ beat: 1_000_000 });
		const { door: it, id } = wait("one");
		const { signal } = await it.reached;
		await first.close();
		expect(signal.aborted).toBe(true);
		expect(jobs.view(id, null)).toMatchObject({ state: "running", steps: [{ state: "running", problem: null }] });
		const again = door("one");
		again.open();
		work({ beat: 1_000_000 });
		await state(id, "done");
	});

	test("does not wait for ever for a step that does not listen, and leaves its job to the next life", async () => {
		const first = work({ beat: 1_000_000, pace: { grace: 1 } });
		const { door: it, id } = wait("deaf", true);
		await it.reached;
		await first.close(5);
		expect(jobs.view(id, null)).toMatchObject({ state: "running", steps: [{ state: "running" }] });
		work({ node: "another", beat: 1_000_000 });
		await turn();
		expect(jobs.ledger.job(id)?.lease_owner).toMatch(/^north/);
	});

	test("a worker that is closed takes nothing new", async () => {
		const first = work();
		await first.close();
		const id = jobs.start("build", { built: 0 });
		await turn();
		expect(jobs.head(id, null).state).toBe("waiting");
	});

	test("what a life that was killed left behind is gone on with at the start", async () => {
		const id = jobs.start("build", { built: 0 });
		db.run("UPDATE job SET lease_owner = 'north/gone', lease_beat = 7");
		work({ beat: 1_000_000 });
		await state(id, "done");
	});
});

describe("two workers", () => {
	test("never work on one job at once; a dead one's jobs are taken over", async () => {
		const id = jobs.start("build", { built: 0 });
		db.run("UPDATE job SET lease_owner = 'south/dead'");
		work();
		await state(id, "done");
	});

	test("one that lost its job stops, and what it still says is not heard", async () => {
		work({ pace: { grace: 1_000_000 } });
		const { door: mine, id } = wait("deaf", true);
		const lost = await mine.reached;
		const theirs = door("deaf");
		db.run("UPDATE job SET lease_owner = 'south/1' WHERE id = :id", { id });
		await until(() => lost.signal.aborted);
		mine.open();
		await turn();
		lost.progress(0.5, "still here");
		expect(jobs.ledger.journal.read(id).map(({ event }) => event.type)).toEqual(["started"]);
		// The other one dies, and the job comes back to the first.
		await theirs.reached;
		theirs.open();
		await state(id, "done");
	});

	test("a job that comes back waits for what is still at work on it", async () => {
		work({ pace: { grace: 1 } });
		const { door: mine, id } = wait("deaf", true);
		const lost = await mine.reached;
		const again = door("deaf");
		let reached = false;
		void again.reached.then(() => {
			reached = true;
		});
		db.run("UPDATE job SET lease_owner = 'south/1' WHERE id = :id", { id });
		await until(() => lost.signal.aborted);
		await until(() => jobs.ledger.job(id)?.lease_owner?.startsWith("north/") ?? false);
		await turn();
		expect(reached).toBe(false);
		mine.open();
		await again.reached;
		await turn();
		expect(jobs.ledger.job(id)?.lease_owner).toMatch(/^north/);
		again.open();
		await state(id, "done");
		expect(jobs.ledger.journal.read(id).map(({ event }) => event.type)).toEqual([
			"started",
			"started",
			"done",
			"ended",
		]);
	});

	test("what is cancelled elsewhere is heard at the next beat", async () => {
		work();
		const { door: it, id } = wait("one");
		const { signal } = await it.reached;
		const elsewhere = new Jobs(db, jobs.ledger.kinds);
		elsewhere.cancel(id, null);
		await until(() => signal.aborted);
		await state(id, "undone");
	});
});

describe("a clock that jumps", () => {
	const hour = 3_600_000;

	test.each([hour, -hour])("by %i ms strands no job that waits to try again", async (jump) => {
		let tries = 0;
		site.during = (what) => {
			if (what === "do ground") clock.shift += jump;
			if (what === "do walls" && tries++ === 0) throw new Error("once");
		};
		work({ pace: { random: () => 0, pause: (ms) => until(() => ms < hour) } });
		const id = jobs.start("build", { built: 0 });
		await state(id, "done");
		expect([...site.house]).toEqual(parts);
	});

	test.each([hour, -hour])("by %i ms for one of two workers gives no job to both", async (jump) => {
		const ahead = new Jobs(db, jobs.ledger.kinds, () => now() + jump);
		work({ node: "south", jobs: ahead });
		const { door: it, id } = wait("one");
		work();
		await it.reached;
		const owner = jobs.ledger.job(id)?.lease_owner;
		for (const shift of [jump, 0, -jump]) {
			clock.shift = shift;
			const beats = () => db.get<{ lease_beat: number }>("SELECT lease_beat FROM job")?.lease_beat ?? 0;
			const since = beats();
			await until(() => beats() > since + 10);
		}
		expect(jobs.ledger.job(id)?.lease_owner).toBe(owner);
		it.open();
		await state(id, "done");
		expect(jobs.ledger.journal.read(id).map(({ event }) => event.type)).toEqual(["started", "done", "ended"]);
	});

	test("between two lives keeps no job waiting", async () => {
		site.broken = { part: "walls" };
		const first = work({ pace: { pause: (_ms, signal) => until(() => signal.aborted) } });
		const id = jobs.start("build", { built: 0 });
		await until(() => jobs.view(id, null).steps[1]?.state === "retrying");
		await first.close();
		clock.shift = -hour;
		site.broken = {};
		work();
		await state(id, "done");
	});
});

describe("what cannot go on", () => {
	test("a kind without a saga is stuck, with its reason in the log only", async () => {
		const id = jobs.start("build", { built: 0 });
		const known = jobs.ledger.kinds;
		jobs = new Jobs(db, {});
		work();
		expect(await state(id, "stuck")).toMatchObject({ canRetry: true });
		expect(new Jobs(db, known).view(id, null).steps[0]?.problem?.code).toBe("bug");
	});

	test("tools that cannot be had make the job stuck, and can be had later", async () => {
		let broken = true;
		const shaky = {
			saga: building(),
			tools: async () => {
				if (broken) throw new Error("no engine");
				return site;
			},
		};
		jobs = new Jobs(db, { build: shaky });
		work();
		const id = jobs.start("build", { built: 0 });
		await state(id, "stuck");
		broken = false;
		jobs.retry(id, null);
		await state(id, "done");
	});

	test("a journal that contradicts the saga makes the job stuck", async () => {
		const id = jobs.start("build", { built: 0 });
		jobs.ledger.journal.append(id, 0, { step: "cellar", event: { type: "started" } });
		const ends: string[] = [];
		work({ onEnd: (_job, outcome) => ends.push(outcome) });
		await state(id, "stuck");
		expect(ends).toEqual(["stuck"]);
	});

	test("a disk that is full for a while delays the job, and does not fail it", async () => {
		let refused = 0;
		const { journal } = jobs.ledger;
		const append = journal.append.bind(journal);
		journal.append = (...entry) => {
			if (entry[2].event.type === "done" && refused++ < 3)
				throw Object.assign(new Error("full"), { code: "SQLITE_FULL" });
			return append(...entry);
		};
		work();
		const id = jobs.start("build", { built: 0 });
		await state(id, "done");
		expect(jobs.view(id, null).steps.map(({ state, attempt }) => [state, attempt])).toEqual(
			parts.map(() => ["done", 1]),
		);
	});
});
