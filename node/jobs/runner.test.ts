import { describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { building, parts, type Site } from "../../test/jobs/building.ts";
import { stopped, until } from "../../test/jobs/yard.ts";
import type { Happening, Journal } from "./journal.ts";
import { MemoryJournal, PowerCut } from "./memory-journal.ts";
import { type Pace, Runner } from "./runner.ts";
import { Final, next, type Saga, type StepState } from "./saga.ts";
import { Story } from "./story.ts";

const job = "house";
const pace: Partial<Pace> = { pause: async () => {}, random: () => 0.5, now: () => 0 };
const site = (broken: Site["broken"] = {}): Site => ({ house: new Set(), broken });

function runner(journal: Journal, tools: Site, pivot?: string, stop = new AbortController().signal) {
	return new Runner({ job, saga: building(pivot), input: { built: 0 }, tools, journal }, stop, pace);
}

/** Runs it, again after every power cut, as a node would. */
async function throughPowerCuts(journal: MemoryJournal, life: () => Promise<string>): Promise<string> {
	try {
		return await life();
	} catch (error) {
		if (!(error instanceof PowerCut)) throw error;
		journal.cutPowerAfter(Number.POSITIVE_INFINITY);
		return throughPowerCuts(journal, life);
	}
}

/** The rules once more, step by step, from the table alone. */
function expectLegal(journal: MemoryJournal) {
	const states = new Map<string, StepState>();
	for (const { step, event } of journal.entries) {
		if (step === null) continue;
		const state = next(states.get(step) ?? "waiting", event.type);
		expect(state, `${event.type} of ${step}`).toBeDefined();
		states.set(step, state ?? "stuck");
	}
	const ends = journal.entries.filter(({ event }) => event.type === "ended");
	expect(ends.length).toBeLessThanOrEqual(1);
	if (ends[0]) expect(journal.entries.at(-1)).toBe(ends[0]);
}

const say = (journal: Journal, happening: Happening) =>
	journal.append(job, journal.read(job).at(-1)?.seq ?? 0, happening);
const types = (journal: MemoryJournal) =>
	journal.entries.map(({ step, event }) => `${event.type}${step ? ` ${step}` : ""}`);

/** Somebody cancels right before the n-th append, if the story so far lets them. Answers whether it did. */
function cancelledBefore(journal: MemoryJournal, n: number, pivot?: string) {
	const outcome = { accepted: false };
	const append = journal.append.bind(journal);
	let appends = 0;
	journal.append = (id, seen, happening) => {
		if (appends++ === n) {
			const story = new Story(building(pivot).steps({ built: 0 }), { built: 0 });
			for (const entry of journal.read(job)) story.hear(entry);
			if (story.canCancel) append(job, story.seq, { step: null, event: { type: "cancel-requested" } });
			outcome.accepted = story.canCancel;
		}
		return append(id, seen, happening);
	};
	return outcome;
}

describe.each([undefined, ...parts])("with the pivot at %s", (pivot) => {
	const comesBefore = (part: string) => pivot === undefined || parts.indexOf(part) < parts.indexOf(pivot);

	describe.each([undefined, ...parts])("when %s cracks", (part) => {
		test.each([...Array(22).keys()])("and the power fails after %i entries, all or nothing stands", async (entries) => {
			const tools = site({ part });
			const journal = new MemoryJournal();
			const life = () => runner(journal, tools, pivot).run();
			journal.cutPowerAfter(entries);
			const outcome = await throughPowerCuts(journal, life);

			if (part && !comesBefore(part)) {
				expect(outcome).toBe("stuck");
				delete tools.broken.part;
				journal.cutPowerAfter(Number.POSITIVE_INFINITY);
				say(journal, { step: null, event: { type: "retry-requested" } });
				expect(await life()).toBe("done");
				expect([...tools.house]).toEqual(parts);
			} else {
				expect(outcome).toBe(part ? "undone" : "done");
				expect([...tools.house]).toEqual(part ? [] : parts);
			}
			expectLegal(journal);
		});

		test.each([...Array(14).keys()])(
			"and somebody cancels before entry %i, they get what they were told",
			async (n) => {
				const tools = site({ part });
				const journal = new MemoryJournal();
				const cancel = cancelledBefore(journal, n, pivot);
				const outcome = await runner(journal, tools, pivot).run();
				if (cancel.accepted) expect(outcome).toBe("undone");
				else expect(outcome).toBe(part === undefined ? "done" : comesBefore(part) ? "undone" : "stuck");
				expect([...tools.house]).toEqual(
					outcome === "undone" ? [] : parts.slice(0, part ? parts.indexOf(part) + 1 : undefined),
				);
				expectLegal(journal);
			},
		);

		test.each([...Array(12).keys()])("and somebody cancels at %i, and the power fails at any entry", async (n) => {
			for (let entries = 0; entries < 14; entries++) {
				const tools = site({ part });
				const journal = new MemoryJournal();
				const cancel = cancelledBefore(journal, n, pivot);
				journal.cutPowerAfter(entries);
				const outcome = await throughPowerCuts(journal, () => runner(journal, tools, pivot).run());
				if (cancel.accepted) expect(outcome).toBe("undone");
				if (outcome === "undone") expect([...tools.house]).toEqual([]);
				if (outcome === "done") expect([...tools.house]).toEqual(parts);
				expectLegal(journal);
			}
		});
	});
});

test("a cancelled step is told at once, and nothing is undone before it has really ended", async () => {
	const journal = new MemoryJournal();
	const tools = site();
	const inWalls = Promise.withResolvers<AbortSignal>();
	const wallsMayEnd = Promise.withResolvers<void>();
	tools.during = (what, { signal }) => {
		if (what !== "do walls") return;
		inWalls.resolve(signal);
		return wallsMayEnd.promise;
	};
	const it = runner(journal, tools);
	const outcome = it.run();
	const signal = await inWalls.promise;
	say(journal, { step: null, event: { type: "cancel-requested" } });
	it.look();
	expect(signal.reason).toEqual(new Problem("cancelled"));
	await new Promise((resolve) => setImmediate(resolve));
	expect(types(journal).at(-1)).toBe("cancel-requested");
	wallsMayEnd.resolve();
	expect(await outcome).toBe("undone");
	expect(types(journal).slice(4)).toEqual([
		"done walls",
		"undo-started walls",
		"undone walls",
		"undo-started ground",
		"undone ground",
		"ended",
	]);
});

test("a step that ends by the abort counts as cancelled, and is undone too", async () => {
	const journal = new MemoryJournal();
	const tools = site();
	tools.during = (what, { signal }) => what === "do walls" && stopped(signal);
	const it = runner(journal, tools);
	const outcome = it.run();
	await until(() => types(journal).includes("started walls"));
	say(journal, { step: null, event: { type: "cancel-requested" } });
	it.look();
	expect(await outcome).toBe("undone");
	expect(tools.house.size).toBe(0);
	expect(journal.entries.find(({ event }) => event.type === "failed")?.event).toMatchObject({
		problem: { code: "cancelled" },
	});
});

test("a step that explains its end in its own way after a cancel is not tried again", async () => {
	const journal = new MemoryJournal();
	const tools = site();
	tools.during = (what, { signal }) =>
		what === "do walls" &&
		stopped(signal).catch(() => {
			throw new Problem("service-not-ready", { service: "walls", seconds: 1 });
		});
	const it = runner(journal, tools);
	const outcome = it.run();
	await until(() => types(journal).includes("started walls"));
	say(journal, { step: null, event: { type: "cancel-requested" } });
	it.look();
	expect(await outcome).toBe("undone");
	expect(types(journal).filter((type) => type === "started walls").length).toBe(1);
});

test("cancelling does not stop what is being undone", async () => {
	const journal = new MemoryJournal();
	const tools = site({ part: "roof" });
	const aborted: boolean[] = [];
	tools.during = (what, { signal }) => what.startsWith("undo") && aborted.push(signal.aborted);
	cancelledBefore(journal, 3);
	expect(await runner(journal, tools).run()).toBe("undone");
	expect(aborted).not.toContain(true);
});

test.each(parts)("a jammed undo of %s stops the job; once freed, it goes on backwards", async (undo) => {
	const tools = site({ part: "roof", undo });
	const journal = new MemoryJournal();
	const life = () => runner(journal, tools).run();
	expect(await life()).toBe("stuck");
	expect(await life()).toBe("stuck");
	delete tools.broken.undo;
	say(journal, { step: null, event: { type: "retry-requested" } });
	expect(await life()).toBe("undone");
	expect(tools.house.size).toBe(0);
	expectLegal(journal);
});

describe("a pivot that the other side can refuse", () => {
	function handingOver(trouble: () => Error | undefined) {
		const log: string[] = [];
		const step = (name: string) => ({
			...{ verb: name, title: name, seconds: 1, attempts: 2 },
			do: async () => void log.push(name),
			undo: async () => void log.push(`no ${name}`),
		});
		const handOver = {
			...{ ...step("hand over"), pivot: true as const, refusable: true as const },
			async do() {
				log.push("hand over");
				const error = trouble();
				if (error) throw error;
			},
		};
		const saga: Saga<object, null> = {
			name: "move",
			steps: () => ({ freeze: step("freeze"), handOver, serve: step("serve") }),
		};
		const journal = new MemoryJournal();
		const life = () =>
			new Runner({ job, saga, input: {}, tools: null, journal }, new AbortController().signal, pace).run();
		return { log, life, journal };
	}

	test("is undone when it is refused", async () => {
		const { log, life } = handingOver(() => new Final("no room after all"));
		expect(await life()).toBe("undone");
		expect(log).toEqual(["freeze", "hand over", "no hand over", "no freeze"]);
	});

	test("is never undone for anything else, however often it fails", async () => {
		const { log, life } = handingOver(() => new Error("silence"));
		expect(await life()).toBe("stuck");
		expect(log).toEqual(["freeze", "hand over", "hand over"]);
	});

	test("cannot be cancelled once it has begun", async () => {
		const { life, journal } = handingOver(() => undefined);
		const append = journal.append.bind(journal);
		let refused = 0;
		journal.append = (id, seen, happening) => {
			const entry = append(id, seen, happening);
			if (happening.step === "handOver" && happening.event.type === "started") {
				const steps = { freeze: {}, handOver: { pivot: true as const, refusable: true as const }, serve: {} };
				const story = new Story(steps, {});
				for (const told of journal.read(job)) story.hear(told);
				if (!story.canCancel) refused++;
			}
			return entry;
		};
		expect(await life()).toBe("done");
		expect(refused).toBe(1);
	});
});
