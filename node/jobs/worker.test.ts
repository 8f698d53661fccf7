import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { never, stopped, turn, Yard } from "../../test/jobs/yard.ts";
import type { WorkerParts } from "./worker.ts";

let yard: Yard;
beforeEach(() => {
	yard = new Yard();
});
afterEach(() => yard.close());

describe("side by side", () => {
	test("so many jobs are at work, and the next begins when one ends", async () => {
		yard.work({ limit: 2 });
		const [one, two, three] = [yard.wait("one"), yard.wait("two"), yard.wait("three")] as const;
		await Promise.all([one.door.reached, two.door.reached]);
		await turn();
		expect(yard.jobs.head(three.id, null).state).toBe("waiting");
		two.door.open();
		await three.door.reached;
		expect(yard.jobs.head(one.id, null).state).toBe("running");
	});

	test("a job that only waits to try again leaves its place to others, and gets one again", async () => {
		const rest = Promise.withResolvers<void>();
		yard.site.broken = { part: "ground" };
		yard.work({ limit: 1, pace: { pause: () => rest.promise } });
		const building = yard.build();
		const other = yard.wait("other");
		await other.door.reached;
		expect(yard.jobs.view(building, null)).toMatchObject({ state: "running", steps: [{ state: "retrying" }, {}, {}] });
		delete yard.site.broken.part;
		rest.resolve();
		await turn();
		expect(yard.jobs.view(building, null).steps[0]?.state).toBe("retrying");
		other.door.open();
		await yard.state(building, "done");
	});

	test("a job that waits for somebody else leaves its place too, and the oldest goes on first", async () => {
		yard.work({ limit: 1 });
		const asides = ["old", "young"].map((name) => {
			const { door, id } = yard.wait(name, true);
			return { door, id, somebody: Promise.withResolvers<string>() };
		});
		const order: string[] = [];
		const gone = asides.map(async ({ door, somebody }) => {
			const work = await door.reached;
			order.push(await work.aside(() => somebody.promise));
			door.open();
		});
		await Promise.all(asides.map(({ door }) => door.reached));
		const busy = yard.wait("busy");
		await busy.door.reached;
		asides[1]?.somebody.resolve("young");
		await turn();
		asides[0]?.somebody.resolve("old");
		await turn();
		expect(order).toEqual([]);
		busy.door.open();
		await Promise.all(gone);
		expect(order).toEqual(["old", "young"]);
	});

	test("who waits aside and is cancelled ends at once, though all places are taken; and gives back what it took", async () => {
		yard.work({ limit: 1 });
		const aside = yard.wait("aside");
		const work = await aside.door.reached;
		const waiting = work.aside(() => stopped(work.signal));
		waiting.catch(() => {});
		const busy = yard.wait("busy");
		await busy.door.reached;
		yard.jobs.cancel(aside.id, null);
		await yard.state(aside.id, "undone");
		const next = yard.wait("next");
		await turn();
		expect(yard.jobs.head(next.id, null).state).toBe("waiting");
		busy.door.open();
		await next.door.reached;
	});

	test("a stuck job and a step that never ends keep nobody from working", async () => {
		yard.work({ limit: 1, pace: { pause: async () => {}, grace: 1 } });
		const deaf = yard.wait("deaf", true);
		await deaf.door.reached;
		yard.jobs.cancel(deaf.id, null);
		await yard.state(deaf.id, "stuck");
		yard.site.broken = { part: "roof", undo: "roof" };
		await yard.state(yard.build(), "stuck");
		const other = yard.wait("other");
		other.door.open();
		await yard.state(other.id, "done");
	});
});

describe("a step that does not end", () => {
	test("keeps its job from being touched until it has, and from every other worker", async () => {
		yard.work({ pace: { grace: 1 } });
		const { door, id } = yard.wait("deaf", true);
		await door.reached;
		yard.jobs.cancel(id, null);
		expect(await yard.state(id, "stuck")).toMatchObject({ canCancel: false, canRetry: false });
		for (const steer of [() => yard.jobs.retry(id, null), () => yard.jobs.cancel(id, null)])
			expect(steer).toThrow(expect.objectContaining({ code: "job-hangs" }));
		const freed = (async () => {
			for await (const { event, data } of yard.jobs.events(id, yard.jobs.view(id, null).seq, never, null))
				if (event === "job" && data.canRetry) return;
		})();
		door.open();
		await freed;
		yard.jobs.retry(id, null);
		await yard.state(id, "undone");
	});
});

describe("the end", () => {
	const ends: unknown[] = [];
	beforeEach(() => void ends.splice(0));
	const onEnd: NonNullable<WorkerParts["onEnd"]> = (job, outcome, problem) => {
		ends.push([job.id, job.state, job.input, job.customer, outcome, problem?.code]);
		yard.db.run("INSERT INTO secret VALUES (:name, x'00', 0)", { name: `end ${ends.length}` });
	};

	test.each([
		["done", {}, undefined],
		["undone", { part: "walls" }, "bug"],
		["stuck", { part: "walls", undo: "ground" }, "bug"],
	])("%s is told once, with the reason", async (outcome, broken, code) => {
		yard.site.broken = broken;
		yard.work({ onEnd });
		const id = yard.build({ customer: "ada" });
		await yard.state(id, outcome);
		expect(ends).toEqual([[id, outcome, { built: 0 }, "ada", outcome, code]]);
	});

	test("of a cancelled job says so", async () => {
		yard.site.during = (what) => what === "do walls" && yard.jobs.cancel(id, null) && undefined;
		yard.work({ onEnd });
		const id = yard.build();
		await yard.state(id, "undone");
		expect(ends).toEqual([[id, "undone", { built: 0 }, null, "undone", "cancelled"]]);
	});

	test("and what hangs on it happen together or not at all", async () => {
		let failures = 2;
		yard.work({
			onEnd: (...end) => {
				onEnd(...end);
				if (failures-- > 0) throw new Error("no room for a notice");
			},
		});
		const id = yard.build();
		await yard.state(id, "done");
		expect(ends.length).toBe(3);
		expect(yard.db.all("SELECT name FROM secret")).toEqual([{ name: "end 3" }]);
		expect(yard.jobs.ledger.journal.read(id).filter(({ event }) => event.type === "ended").length).toBe(1);
		expect(yard.site.house.size).toBe(3);
	});
});

describe("closing", () => {
	test("fails nothing; the next life of the node goes on at once, without waiting for a lease to die", async () => {
		const first = yard.work({ beat: 1_000_000 });
		const { door: it, id } = yard.wait("one");
		const { signal } = await it.reached;
		await first.close();
		expect(signal.aborted).toBe(true);
		expect(yard.jobs.view(id, null)).toMatchObject({ state: "running", steps: [{ state: "running", problem: null }] });
		const again = yard.door("one");
		again.open();
		yard.work({ beat: 1_000_000 });
		await yard.state(id, "done");
	});

	test("does not wait for ever for a step that does not listen, and leaves its job to the next life", async () => {
		const first = yard.work({ beat: 1_000_000, pace: { grace: 1 } });
		const { door: it, id } = yard.wait("deaf", true);
		await it.reached;
		await first.close(5);
		expect(yard.jobs.view(id, null)).toMatchObject({ state: "running", steps: [{ state: "running" }] });
		yard.work({ node: "another", beat: 1_000_000 });
		await turn();
		expect(yard.jobs.ledger.job(id)?.lease_owner).toMatch(/^north/);
	});

	test("the place of what was stopped is not given to what waits", async () => {
		const first = yard.work({ limit: 1 });
		const [one, two] = [yard.wait("one"), yard.wait("two")];
		await one.door.reached;
		await first.close();
		await turn();
		expect(yard.jobs.ledger.job(two.id)).toMatchObject({ state: "waiting", lease_owner: null });
	});

	test("a worker that is closed takes nothing new", async () => {
		const first = yard.work();
		await first.close();
		const id = yard.build();
		await turn();
		expect(yard.jobs.head(id, null).state).toBe("waiting");
	});

	test("what a life that was killed left behind is gone on with at the start", async () => {
		const id = yard.build();
		yard.db.run("UPDATE job SET lease_owner = 'north/gone', lease_beat = 7");
		yard.work({ beat: 1_000_000 });
		await yard.state(id, "done");
	});
});
