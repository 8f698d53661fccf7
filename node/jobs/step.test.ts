/** What the runner does with one step. */
import { expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { stopped } from "../../test/jobs/yard.ts";
import { Behind, type Happening, type Journal } from "./journal.ts";
import { MemoryJournal, PowerCut } from "./memory-journal.ts";
import { type Pace, Runner, type Task } from "./runner.ts";
import { Final, type Saga, type Work } from "./saga.ts";

const job = "house";
const pace: Partial<Pace> = { pause: async () => {}, random: () => 0.5, now: () => 0 };
const say = (journal: Journal, happening: Happening) =>
	journal.append(job, journal.read(job).at(-1)?.seq ?? 0, happening);
const types = (journal: MemoryJournal) =>
	journal.entries.map(({ step, event }) => `${event.type}${step ? ` ${step}` : ""}`);

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

test("that is there whenever the node goes down is not begun for ever", async () => {
	const journal = new MemoryJournal();
	const deadly = one({
		do: async () => {
			throw new PowerCut();
		},
	});
	let lives = 0;
	const life = async (): Promise<string> => {
		const stop = new AbortController();
		lives++;
		journal.append = (...entry) => {
			const written = MemoryJournal.prototype.append.apply(journal, entry);
			if (entry[2].event.type === "started") stop.abort();
			return written;
		};
		return new Runner(task(deadly, journal), stop.signal, pace).run().catch(life);
	};
	expect(await life()).toBe("stuck");
	expect(lives).toBe(21);
	expect(journal.entries.at(-1)?.event).toMatchObject({
		problem: { code: "job-interrupted", params: { times: "20" } },
	});
	say(journal, { step: null, event: { type: "retry-requested" } });
	journal.append = MemoryJournal.prototype.append.bind(journal);
	expect(await run(one({}), journal)).toBe("done");
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

test("a journal that refuses an entry and tells nothing new ends the run", async () => {
	const journal = new MemoryJournal();
	journal.append = () => {
		throw new Behind();
	};
	await expect(run(one({}), journal)).rejects.toThrow(Behind);
});
