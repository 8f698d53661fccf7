/** Workers that meet, clocks that jump, disks that are full. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { building, parts } from "../../test/jobs/building.ts";
import { turn, until, Yard } from "../../test/jobs/yard.ts";
import { Jobs } from "./jobs.ts";

let yard: Yard;
beforeEach(() => {
	yard = new Yard();
});
afterEach(() => yard.close());

describe("two workers", () => {
	test("never work on one job at once; a dead one's jobs are taken over", async () => {
		const id = yard.build();
		yard.db.run("UPDATE job SET lease_owner = 'south/dead'");
		yard.work();
		await yard.state(id, "done");
	});

	test("one that lost its job stops, and what it still says is not heard", async () => {
		yard.work({ pace: { grace: 1_000_000 } });
		const { door: mine, id } = yard.wait("deaf", true);
		const lost = await mine.reached;
		const theirs = yard.door("deaf");
		yard.db.run("UPDATE job SET lease_owner = 'south/1' WHERE id = :id", { id });
		await until(() => lost.signal.aborted);
		mine.open();
		await turn();
		lost.progress(0.5, "still here");
		expect(yard.types(id)).toEqual(["started"]);
		// The other one dies, and the job comes back to the first.
		await theirs.reached;
		theirs.open();
		await yard.state(id, "done");
	});

	test("a job that comes back waits for what is still at work on it", async () => {
		yard.work({ pace: { grace: 1 } });
		const { door: mine, id } = yard.wait("deaf", true);
		const lost = await mine.reached;
		const again = yard.door("deaf");
		let reached = false;
		void again.reached.then(() => {
			reached = true;
		});
		yard.db.run("UPDATE job SET lease_owner = 'south/1' WHERE id = :id", { id });
		await until(() => lost.signal.aborted);
		await until(() => yard.jobs.ledger.job(id)?.lease_owner?.startsWith("north/") ?? false);
		await turn();
		expect(reached).toBe(false);
		mine.open();
		await again.reached;
		await turn();
		expect(yard.jobs.ledger.job(id)?.lease_owner).toMatch(/^north/);
		again.open();
		await yard.state(id, "done");
		expect(yard.types(id)).toEqual(["started", "started", "done", "ended"]);
	});

	test("what is cancelled elsewhere is heard at the next beat", async () => {
		yard.work();
		const { door: it, id } = yard.wait("one");
		const { signal } = await it.reached;
		const elsewhere = new Jobs(yard.db, yard.jobs.ledger.kinds);
		elsewhere.cancel(id, null);
		await until(() => signal.aborted);
		await yard.state(id, "undone");
	});
});

describe("a clock that jumps", () => {
	const hour = 3_600_000;

	test.each([hour, -hour])("by %i ms strands no job that waits to try again", async (jump) => {
		let tries = 0;
		yard.site.during = (what) => {
			if (what === "do ground") yard.clock.shift += jump;
			if (what === "do walls" && tries++ === 0) throw new Error("once");
		};
		yard.work({ pace: { random: () => 0, pause: (ms) => until(() => ms < hour) } });
		const id = yard.build();
		await yard.state(id, "done");
		expect([...yard.site.house]).toEqual(parts);
	});

	test.each([hour, -hour])("by %i ms for one of two workers gives no job to both", async (jump) => {
		const ahead = new Jobs(yard.db, yard.jobs.ledger.kinds, () => yard.now() + jump);
		yard.work({ node: "south", jobs: ahead });
		const { door: it, id } = yard.wait("one");
		yard.work();
		await it.reached;
		const owner = yard.jobs.ledger.job(id)?.lease_owner;
		for (const shift of [jump, 0, -jump]) {
			yard.clock.shift = shift;
			const beats = () => yard.db.get<{ lease_beat: number }>("SELECT lease_beat FROM job")?.lease_beat ?? 0;
			const since = beats();
			await until(() => beats() > since + 10);
		}
		expect(yard.jobs.ledger.job(id)?.lease_owner).toBe(owner);
		it.open();
		await yard.state(id, "done");
		expect(yard.types(id)).toEqual(["started", "done", "ended"]);
	});

	test("between two lives keeps no job waiting", async () => {
		yard.site.broken = { part: "walls" };
		const first = yard.work({ pace: { pause: (_ms, signal) => until(() => signal.aborted) } });
		const id = yard.build();
		await until(() => yard.jobs.view(id, null).steps[1]?.state === "retrying");
		await first.close();
		yard.clock.shift = -hour;
		yard.site.broken = {};
		yard.work();
		await yard.state(id, "done");
	});
});

describe("what cannot go on", () => {
	test("a kind without a saga is stuck, with its reason in the log only", async () => {
		const id = yard.build();
		const known = yard.jobs.ledger.kinds;
		yard.jobs = new Jobs(yard.db, {});
		yard.work();
		expect(await yard.state(id, "stuck")).toMatchObject({ canRetry: true });
		expect(new Jobs(yard.db, known).view(id, null).steps[0]?.problem?.code).toBe("bug");
	});

	test("tools that cannot be had make the job stuck, and can be had later", async () => {
		let broken = true;
		const shaky = {
			saga: building(),
			tools: async () => {
				if (broken) throw new Error("no engine");
				return yard.site;
			},
		};
		yard.jobs = new Jobs(yard.db, { build: shaky });
		yard.work();
		const id = yard.build();
		await yard.state(id, "stuck");
		broken = false;
		yard.jobs.retry(id, null);
		await yard.state(id, "done");
	});

	test("a journal that contradicts the saga makes the job stuck", async () => {
		const id = yard.build();
		yard.jobs.ledger.journal.append(id, 0, { step: "cellar", event: { type: "started" } });
		const ends: string[] = [];
		yard.work({ onEnd: (_job, outcome) => ends.push(outcome) });
		await yard.state(id, "stuck");
		expect(ends).toEqual(["stuck"]);
	});

	test("a disk that is full for a while delays the job, and does not fail it", async () => {
		let refused = 0;
		const { journal } = yard.jobs.ledger;
		const append = journal.append.bind(journal);
		journal.append = (...entry) => {
			if (entry[2].event.type === "done" && refused++ < 3)
				throw Object.assign(new Error("full"), { code: "SQLITE_FULL" });
			return append(...entry);
		};
		yard.work();
		const id = yard.build();
		await yard.state(id, "done");
		expect(yard.jobs.view(id, null).steps.map(({ state, attempt }) => [state, attempt])).toEqual(
			parts.map(() => ["done", 1]),
		);
	});
});
