import { expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { RateLimits } from "./rate-limit.ts";

function opened() {
	const clock = { time: 1_000_000 };
	const limits = new RateLimits({ voucher: { burst: 3, seconds: 10 } }, () => clock.time);
	/** Seconds to wait; 0 when let through. */
	const attempt = (who = "anna") => {
		try {
			limits.take("voucher", who);
			return 0;
		} catch (error) {
			return Number((error as Problem).params["seconds"]);
		}
	};
	return { clock, limits, attempt };
}

test("a burst goes through, then one each interval", () => {
	const { clock, attempt } = opened();
	expect([attempt(), attempt(), attempt(), attempt()]).toEqual([0, 0, 0, 10]);
	clock.time += 9_000;
	expect(attempt()).toBe(1);
	clock.time += 1_000;
	expect([attempt(), attempt()]).toEqual([0, 10]);
	clock.time += 3_600_000;
	expect([attempt(), attempt(), attempt(), attempt()]).toEqual([0, 0, 0, 10]);
});

test("being refused does not make the wait longer", () => {
	const { clock, attempt } = opened();
	for (let at = 0; at < 100; at++) attempt();
	clock.time += 10_000;
	expect(attempt()).toBe(0);
});

test("everybody waits for themselves, and for each thing apart", () => {
	const { attempt, limits } = opened();
	for (let at = 0; at < 4; at++) attempt("anna");
	expect(attempt("ben")).toBe(0);
	expect(() => limits.take("sign-up", "anna")).not.toThrow();
	expect(() => limits.take("voucher", "anna")).toThrow(Problem);
});

test("what is given back can be used again, and no more than that", () => {
	const { attempt, limits } = opened();
	for (let at = 0; at < 3; at++) attempt();
	limits.giveBack("voucher", "anna");
	expect([attempt(), attempt()]).toEqual([0, 10]);
	limits.giveBack("voucher", "nobody");
	for (let at = 0; at < 9; at++) limits.giveBack("voucher", "anna");
	expect([attempt(), attempt(), attempt(), attempt()]).toEqual([0, 0, 0, 10]);
});

test("a clock on the wall that jumps locks nobody out", () => {
	const limits = new RateLimits({ voucher: { burst: 1, seconds: 1 } });
	const real = Date.now;
	try {
		Date.now = () => real() + 1e12;
		limits.take("voucher", "anna");
		Date.now = () => real() - 1e12;
		expect(() => limits.take("voucher", "anna")).toThrow(
			expect.objectContaining({ params: { seconds: "1", policy: "voucher" } }),
		);
	} finally {
		Date.now = real;
	}
});

test("a mob of addresses fills no memory, and does not free who waits", () => {
	const { attempt } = opened();
	for (let at = 0; at < 15_000; at++) attempt(`old ${at}`);
	for (let at = 0; at < 4; at++) attempt("anna");
	const before = process.memoryUsage().heapUsed;
	for (let at = 0; at < 15_000; at++) attempt(`new ${at}`);
	expect(attempt("anna")).toBeGreaterThan(0);
	for (let at = 0; at < 100_000; at++) attempt(`mob ${at}`);
	expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(60);
});
