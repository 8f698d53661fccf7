/** Whatever the saga and whatever goes wrong: all of it stands or nothing does, and everybody gets what they were told. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Happening } from "./journal.ts";
import { MemoryJournal, PowerCut } from "./memory-journal.ts";
import { Runner } from "./runner.ts";
import { Final, type Saga } from "./saga.ts";
import { Story } from "./story.ts";

const job = "j";

const anyStep = fc.record({
	pivot: fc.boolean(),
	attempts: fc.integer({ min: 1, max: 3 }),
	/** How often `do` and `undo` fail before they succeed; and whether the first of it is final. */
	fails: fc.nat({ max: 4 }),
	undoFails: fc.nat({ max: 4 }),
	final: fc.boolean(),
	/** Whether the effect comes before the failure, as when half of the work was done. */
	half: fc.boolean(),
	/** What is left of the effect for later steps to read. */
	gives: fc.boolean(),
});
const anyLife = fc.record({
	steps: fc.array(anyStep, { minLength: 1, maxLength: 5 }),
	cuts: fc.array(fc.nat({ max: 12 }), { maxLength: 6 }),
	cancelAt: fc.option(fc.nat({ max: 30 }), { nil: undefined }),
	cancelInside: fc.option(fc.nat({ max: 8 }), { nil: undefined }),
});
type Life = typeof anyLife extends fc.Arbitrary<infer L> ? L : never;

/** The world in which the steps leave something, and what it has seen. */
class World {
	readonly effects = new Set<string>();
	readonly calls: string[] = [];
	atWork = 0;
	inside: (() => void) | undefined;
}

type Data = Record<string, boolean>;

function sagaOf({ steps }: Life, world: World): Saga<Data, World> {
	const left = steps.map(({ fails, undoFails }) => ({ fails, undoFails }));
	const alone = async (call: string, work: () => void) => {
		expect(world.atWork++, "two steps at once").toBe(0);
		world.calls.push(call);
		try {
			await Promise.resolve();
			world.inside?.();
			work();
		} finally {
			world.atWork--;
		}
	};
	const step = (n: number) => {
		const { pivot, attempts, final, half, gives } = steps[n] as Life["steps"][number];
		const mine = left[n] as (typeof left)[number];
		const name = `s${n}`;
		return {
			verb: "do",
			title: name,
			seconds: 1,
			attempts,
			...(pivot && { pivot: true as const }),
			do: async (data: Data) => {
				await alone(name, () => {
					for (let m = 0; m < n; m++) expect(data[`s${m}`] ?? false).toBe(steps[m]?.gives);
					if (half) world.effects.add(name);
					if (mine.fails-- > 0) throw final ? new Final() : new Error();
					world.effects.add(name);
				});
				return gives ? { [name]: true } : undefined;
			},
			undo: async () => {
				await alone(`undo ${name}`, () => {
					if (mine.undoFails-- > 0) throw final ? new Final() : new Error();
					world.effects.delete(name);
				});
			},
		};
	};
	return { name: "any", steps: () => Object.fromEntries(steps.map((_, n) => [`s${n}`, step(n)])) };
}

/** Lives through all of it, with somebody who presses retry whenever the job is stuck. Answers what became of it. */
async function live(life: Life) {
	const world = new World();
	const saga = sagaOf(life, world);
	const journal = new MemoryJournal();
	const cuts = [...life.cuts];
	let cancelled = false;
	let retries = 0;
	let current: Runner<Data, World> | undefined;

	const story = () => {
		const told = new Story(saga.steps({}), {});
		for (const entry of journal.read(job)) told.hear(entry);
		return told;
	};
	const append = journal.append.bind(journal);
	const say = (happening: Happening) => append(job, story().seq, happening);
	const cancel = () => {
		if (cancelled || !story().canCancel) return;
		say({ step: null, event: { type: "cancel-requested" } });
		cancelled = true;
		current?.look();
	};
	let appends = 0;
	journal.append = (...entry) => {
		if (appends++ === life.cancelAt) cancel();
		return append(...entry);
	};
	let calls = 0;
	world.inside = () => {
		if (calls++ === life.cancelInside) cancel();
	};

	for (;;) {
		journal.cutPowerAfter(cuts.shift() ?? Number.POSITIVE_INFINITY);
		try {
			const task = { job, saga, input: {}, tools: world, journal };
			current = new Runner<Data, World>(task, new AbortController().signal, { pause: async () => {} });
			const outcome = await current.run();
			if (outcome !== "stuck") return { outcome, world, journal, cancelled, story: story() };
			journal.cutPowerAfter(Number.POSITIVE_INFINITY);
			expect(retries++).toBeLessThan(60);
			say({ step: null, event: { type: "retry-requested" } });
		} catch (error) {
			if (!(error instanceof PowerCut)) throw error;
		}
	}
}

test("all or nothing", { timeout: 60_000 }, async () => {
	const seen = { done: 0, undone: 0, cancelled: 0, pivoted: 0 };
	await fc.assert(
		fc.asyncProperty(anyLife, async (life) => {
			const { outcome, world, journal, cancelled, story } = await live(life);
			const names = life.steps.map((_, n) => `s${n}`);
			seen[outcome as "done" | "undone"]++;
			expect([...world.effects].sort()).toEqual(outcome === "done" ? names : []);
			if (cancelled) {
				seen.cancelled++;
				expect(outcome).toBe("undone");
			}
			const pivot = life.steps.findIndex((step) => step.pivot);
			if (pivot >= 0 && world.calls.includes(`s${pivot}`)) {
				seen.pivoted++;
				expect(outcome).toBe("done");
			}
			// Without a reason nothing is ever undone: only a cancel or a step that ran out of attempts is one.
			const mayFail = life.steps.some(({ fails, attempts, final }) => fails > 0 && (final || fails >= attempts));
			if (!mayFail && !cancelled) expect(outcome).toBe("done");
			expect(story.outcome).toBe(outcome);
			expect(journal.entries.at(-1)?.event.type).toBe("ended");
		}),
		{ numRuns: 1000 },
	);
	// A property that never meets the case it speaks of says nothing.
	expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
});
