import { expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { attempt } from "./attempt.ts";

const never = new AbortController().signal;
const long = { deadline: 1_000_000, grace: 1_000_000 };
const told = (signal: AbortSignal) =>
	new Promise<never>((_, reject) => {
		const end = () => reject(new Error("told to stop"));
		signal.addEventListener("abort", end);
		if (signal.aborted) end();
	});

test("ends as the work ends", async () => {
	expect(await attempt(async () => 7, never, long)).toEqual({ end: "done", result: 7 });
	const error = new Error("rain");
	expect(await attempt(() => Promise.reject(error), never, long)).toEqual({ end: "failed", error });
	const thrown = () => {
		throw error;
	};
	expect(await attempt(thrown, never, long)).toEqual({ end: "failed", error });
});

test("is told to stop by whoever may stop it, even before it begins", async () => {
	const reason = new Problem("cancelled");
	expect(await attempt(told, AbortSignal.abort(reason), long)).toEqual({ end: "failed", error: reason });
	const stop = new AbortController();
	const ended = attempt(told, stop.signal, long);
	stop.abort(reason);
	expect(await ended).toEqual({ end: "failed", error: reason });
});

test("is told to stop at its deadline, and says so", async () => {
	const error = new Problem("took-too-long", { seconds: 0.005 });
	expect(await attempt(told, never, { ...long, deadline: 5 })).toEqual({ end: "failed", error });
});

test("the step's own explanation counts more than why it was told to stop", async () => {
	const own = new Problem("service-not-ready", { service: "snac", seconds: 5 });
	const work = (signal: AbortSignal) => told(signal).catch(() => Promise.reject(own));
	expect(await attempt(work, AbortSignal.abort(new Problem("cancelled")), long)).toEqual({ end: "failed", error: own });
});

test("what succeeds although told to stop has succeeded", async () => {
	const work = (signal: AbortSignal) => told(signal).catch(() => "in time");
	expect(await attempt(work, AbortSignal.abort(), long)).toEqual({ end: "done", result: "in time" });
});

test("hangs when it does not stop, until it settles", async () => {
	const work = Promise.withResolvers<void>();
	const end = await attempt(() => work.promise, AbortSignal.abort(), { ...long, grace: 1 });
	expect(end.end).toBe("hung");
	let settled = false;
	const watched = end.end === "hung" && end.settled.then(() => (settled = true));
	await new Promise((resolve) => setImmediate(resolve));
	expect(settled).toBe(false);
	work.reject(new Error("late"));
	await watched;
	expect(settled).toBe(true);
});

test("leaves nothing behind on the signal that outlives it", async () => {
	const stop = new AbortController();
	let heard = 0;
	const { addEventListener, removeEventListener } = stop.signal;
	stop.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
		heard++;
		addEventListener.apply(stop.signal, args);
	};
	stop.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
		heard--;
		removeEventListener.apply(stop.signal, args);
	};
	await attempt(async () => {}, stop.signal, long);
	expect(heard).toBe(0);
});
