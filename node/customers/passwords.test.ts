import { readFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { Passwords } from "./passwords.ts";

const cheap = { memory: 8, passes: 1, parallelism: 1 };

test("a password matches what is kept of it, and no other does", async () => {
	const passwords = new Passwords({ cost: cheap });
	const kept = await passwords.hash("correct horse");
	expect(await passwords.matches("correct horse", kept)).toBe(true);
	expect(await passwords.matches("correct horsf", kept)).toBe(false);
	expect(await passwords.matches("", kept)).toBe(false);
	expect(await passwords.hash("correct horse")).not.toBe(kept);
});

test("the reference implementation's own example matches", async () => {
	const kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
	expect(await new Passwords().matches("password", kept)).toBe(true);
	expect(await new Passwords().matches("Password", kept)).toBe(false);
});

test("by default it costs what OWASP asks for", async () => {
	expect(await new Passwords().hash("x")).toMatch(
		/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
	);
});

test("the same letters typed composed and decomposed are the same password", async () => {
	const passwords = new Passwords({ cost: cheap });
	expect(await passwords.matches("gru\u0308n", await passwords.hash("gr\u00fcn"))).toBe(true);
});

test("what was kept at another cost still matches and is dated", async () => {
	const kept = await new Passwords({ cost: cheap }).hash("old");
	const passwords = new Passwords({ cost: { ...cheap, passes: 2 } });
	expect(await passwords.matches("old", kept)).toBe(true);
	expect(passwords.isDated(kept)).toBe(true);
	expect(passwords.isDated(await passwords.hash("old"))).toBe(false);
});

test("nothing matches nobody's password, and it is worked out all the same", async () => {
	const passwords = new Passwords({ cost: { memory: 19_456, passes: 2, parallelism: 1 } });
	const kept = await passwords.hash("x");
	const work = async (against: string | undefined) => {
		const before = process.cpuUsage().user;
		expect(await passwords.matches("y", against)).toBe(false);
		return process.cpuUsage().user - before;
	};
	await work(kept);
	expect(await work(undefined)).toBeGreaterThan((await work(kept)) / 4);
});

test("a crowd waits its turn, a few at a time, and a mob is sent away", async () => {
	const passwords = new Passwords({ cost: cheap, mostAtOnce: 2, mostWaiting: 10 });
	const answers = await Promise.allSettled(Array.from({ length: 15 }, () => passwords.hash("x")));
	expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(12);
	const refused = answers.filter((answer) => answer.status === "rejected").map(({ reason }) => reason);
	expect(refused.map((reason) => reason instanceof Problem && reason.code)).toEqual([
		"too-many",
		"too-many",
		"too-many",
	]);
	expect(await passwords.hash("x")).toContain("$argon2id$");
});

test("while many sign in, threads are left to read files with", async () => {
	const passwords = new Passwords();
	let done = 0;
	const hashes = Array.from({ length: 12 }, () => passwords.hash("x").then(() => done++));
	await setImmediate();
	await readFile(import.meta.filename);
	expect(done).toBeLessThan(4);
	await Promise.all(hashes);
});

test("a failure gives its turn to the next", async () => {
	const passwords = new Passwords({ cost: cheap, mostAtOnce: 1 });
	await expect(passwords.matches("x", "$argon2id$v=19$m=1,t=1,p=1$c29tc2FsdA$CTFh")).rejects.toThrow();
	await expect(passwords.matches("x", "broken")).rejects.toThrow("not known");
	expect(await passwords.hash("x")).toContain("$argon2id$");
});
