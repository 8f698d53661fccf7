import { describe, expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { building, parts, type Site } from "../../test/jobs/building.ts";
import type { Happening, Journal } from "./journal.ts";
import { MemoryJournal, PowerCut } from "./memory-journal.ts";
import { type Pace, Runner, type Task } from "./runner.ts";
import { Final, next, type Saga, type StepState, type Work } from "./saga.ts";
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

describe("one step", () => {
	const one = (step: Partial<ReturnType<Saga<object, object>["steps"]>[string]>): Saga<object, object> => ({
		name: "one",
		steps: () => ({ it: { verb: "do", title: "Do it", seconds: 1, do: async () => {}, ...step } }),
	});
	const task = (saga: Saga<object, object>, journal: Journal): Task<object, object> => {
		return { job, saga, input: {}, tools: {}, journal };
	};
	const run = (saga: Saga<object, object>, journal = new MemoryJournal(), more: Partial<Pace> = {}) =>
		new Runner(task(saga, journal), new AbortController().signal, { ...pace, ...more }).run();

	test("is tried three times, waiting longer each time", async () => {
		const journal = new MemoryJournal();
		const waits: number[] = [];
		let tries = 0;
		const failing = async () => {
			tries++;
			throw new Problem("zone-silent", { server: "ns" });
		};
		const waiting = async (ms: number) => void waits.push(ms);
		expect(await run(one({ do: failing }), journal, { pause: waiting })).toBe("undone");
		expect([tries, ...waits]).toEqual([3, 1000, 2000]);
		const problem = { code: "zone-silent", detail: "The name server at ns does not answer", params: { server: "ns" } };
		expect(journal.entries.map(({ event }) => event).slice(1, 6)).toEqual([
			{ type: "retrying", problem, nextAt: 1000 },
			{ type: "started" },
			{ type: "retrying", problem, nextAt: 2000 },
			{ type: "started" },
			{ type: "failed", problem },
		]);
	});

	test("waits at most a minute, more or less by chance", async () => {
		const waits: number[] = [];
		const failing = { attempts: 9, do: () => Promise.reject(new Error("rain")) };
		const waiting = async (ms: number) => void waits.push(ms);
		await run(one(failing), new MemoryJournal(), { pause: waiting, random: () => 0 });
		await run(one(failing), new MemoryJournal(), { pause: waiting, random: () => 1 });
		expect([Math.min(...waits), Math.max(...waits)]).toEqual([750, 75_000]);
	});

	test.each([
		["Final", new Final("never")],
		["a 4xx problem", new Problem("service-clash", {})],
	])("is not tried again after %s", async (_name, error) => {
		let tries = 0;
		const failing = () => {
			tries++;
			return Promise.reject(error);
		};
		expect(await run(one({ do: failing }))).toBe("undone");
		expect(tries).toBe(1);
	});

	test("that succeeds the second time has succeeded", async () => {
		let tries = 0;
		const shaky = async () => {
			if (tries++ === 0) throw new Error("once");
		};
		expect(await run(one({ do: shaky }))).toBe("done");
	});

	test("its undo is tried again as well, and gets what `do` gave", async () => {
		let tries = 0;
		const undo = async (data: object) => {
			expect(data).toEqual({ port: 7 });
			if (tries++ < 2) throw new Error("not yet");
		};
		const saga: Saga<object, object> = {
			name: "two",
			steps: () => ({
				...one({ do: async () => ({ port: 7 }), undo }).steps({}),
				breaks: { verb: "break", title: "Break", seconds: 1, attempts: 1, do: () => Promise.reject(new Error()) },
			}),
		};
		expect(await run(saga)).toBe("undone");
		expect(tries).toBe(3);
	});

	test("a bug tells the customer nothing of its insides", async () => {
		const journal = new MemoryJournal();
		await run(one({ attempts: 1, do: () => Promise.reject(new Error("password hunter2 refused")) }), journal);
		expect(JSON.stringify(journal.entries)).not.toContain("hunter2");
		expect(journal.entries[1]?.event).toMatchObject({ type: "failed", problem: { code: "bug" } });
	});

	test("a result that cannot be written down is a failure of the step", async () => {
		const journal = new MemoryJournal();
		expect(await run(one({ attempts: 1, do: async () => ({ big: 1n }) }), journal)).toBe("undone");
	});

	test("is stopped at its deadline, and tried again", async () => {
		const journal = new MemoryJournal();
		let tries = 0;
		const slow = async (_: object, __: object, { signal }: { signal: AbortSignal }) =>
			tries++ === 0 ? stopped(signal) : undefined;
		expect(await run(one({ deadline: 0.01, do: slow }), journal)).toBe("done");
		expect(journal.entries[1]?.event).toMatchObject({ type: "retrying", problem: { code: "took-too-long" } });
	});

	test.each(["do", "undo"])("that does not stop in its %s is stuck, and nothing happens beside it", async (where) => {
		const journal = new MemoryJournal();
		const end = Promise.withResolvers<void>();
		const hang = () => end.promise;
		const saga = one({
			deadline: 0.01,
			...(where === "do" ? { do: hang } : { do: () => Promise.reject(new Final()), undo: hang }),
		});
		const it = new Runner(task(saga, journal), new AbortController().signal, { ...pace, grace: 10 });
		expect(await it.run()).toBe("stuck");
		expect(journal.entries.at(-1)?.event).toMatchObject({ type: "stuck", problem: { code: "job-hangs" } });
		const entries = journal.entries.length;
		end.resolve();
		await it.hanging;
		expect(journal.entries.length).toBe(entries);
	});

	test("that was cancelled and does not stop is never called cancelled", async () => {
		const journal = new MemoryJournal();
		const end = Promise.withResolvers<void>();
		const it = new Runner(task(one({ do: () => end.promise }), journal), new AbortController().signal, {
			...pace,
			grace: 10,
		});
		const outcome = it.run();
		say(journal, { step: null, event: { type: "cancel-requested" } });
		it.look();
		expect(await outcome).toBe("stuck");
		end.resolve();
		await it.hanging;
		say(journal, { step: null, event: { type: "retry-requested" } });
		expect(await run(one({}), journal)).toBe("undone");
	});

	test("is not failed by a runner that stops; another goes on", async () => {
		const journal = new MemoryJournal();
		const stop = new AbortController();
		const waiting = one({ do: (_data, _tools, { signal }) => stopped(signal) });
		const outcome = new Runner(task(waiting, journal), stop.signal, pace).run();
		stop.abort(new Error("closing"));
		await expect(outcome).rejects.toThrow();
		expect(types(journal)).toEqual(["started it"]);
		expect(await run(one({}), journal)).toBe("done");
	});

	test("that is done when the runner stops is done", async () => {
		const journal = new MemoryJournal();
		const stop = new AbortController();
		const finishing = one({ do: async () => stop.abort() });
		await expect(new Runner(task(finishing, journal), stop.signal, pace).run()).rejects.toThrow();
		expect(types(journal)).toEqual(["started it", "done it"]);
	});

	test("a wait for the next attempt ends at once when somebody cancels", async () => {
		const journal = new MemoryJournal();
		let it: Runner<object, object>;
		const pause = (_ms: number, signal: AbortSignal) => {
			say(journal, { step: null, event: { type: "cancel-requested" } });
			const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
			it.look();
			return over;
		};
		const saga = one({ do: () => Promise.reject(new Error("rain")) });
		it = new Runner(task(saga, journal), new AbortController().signal, { ...pace, pause });
		expect(await it.run()).toBe("undone");
	});

	test("knows its job and a key that stays the same in every attempt", async () => {
		const keys: string[] = [];
		const shaky = async (_: object, __: object, { key }: { key: string }) => {
			if (keys.push(key) === 1) throw new Error("once");
		};
		await run(one({ do: shaky }));
		expect(keys).toEqual(["house/it", "house/it"]);
	});

	test("an attempt that has ended says nothing more of its progress", async () => {
		const journal = new MemoryJournal();
		const attempts: Work[] = [];
		const do_ = async (_data: object, _tools: object, work: Work) => {
			if (attempts.push(work) === 1) throw new Error("once");
			attempts[0]?.progress(0.1, "of the first");
			work.progress(0.2, "of the second");
		};
		await run(one({ do: do_ }), journal);
		const notes = journal.entries.flatMap(({ event }) => (event.type === "progress" ? [event.note] : []));
		expect(notes).toEqual(["of the second"]);
	});

	test("tells its progress, thinned out and put right", async () => {
		const journal = new MemoryJournal();
		const saga = one({
			do: async (_data, _tools, { progress }) => {
				progress(2, "x".repeat(1000));
				for (let n = 0; n < 1000; n++) progress(n / 1000, `${n} of 1000`);
				await until(() => types(journal).length > 2);
				progress(Number.NaN);
			},
		});
		await run(saga, journal, { progressEvery: 20 });
		expect(journal.entries.map(({ event }) => event).slice(1, -2)).toEqual([
			{ type: "progress", fraction: 1, note: "x".repeat(200) },
			{ type: "progress", fraction: 0.999, note: "999 of 1000" },
		]);
	});
});

/** Rejects when the signal is aborted, as a well-behaved step does. */
function stopped(signal: AbortSignal): Promise<never> {
	return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

async function until(holds: () => boolean) {
	while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
