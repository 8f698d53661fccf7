import { expect, test } from "vitest";
import { Problem } from "#protocol/problem.ts";
import { Intention } from "./intention.ts";
import { Unreachable } from "./sending.ts";

/** Asks three times for these wishes; the answers in between are thrown or given. */
async function keys(wishes: unknown[], outcomes: (Error | undefined)[]): Promise<string[]> {
	const intention = new Intention();
	const used: string[] = [];
	for (const [at, wish] of wishes.entries())
		await intention
			.carry(wish, async (key) => {
				used.push(key);
				if (outcomes[at]) throw outcomes[at];
			})
			.catch(() => {});
	return used;
}

test("asking again after a lost answer is the same request", async () => {
	const [first, second] = await keys(["a", "a"], [new Unreachable(), undefined]);
	expect(second).toBe(first);
});

test("another wish is another request, also after a lost answer", async () => {
	const [first, second] = await keys(["a", "b"], [new Unreachable(), undefined]);
	expect(second).not.toBe(first);
});

test("after the node has answered, well or not, the same wish is a new request", async () => {
	const [first, second, third] = await keys(["a", "a", "a"], [undefined, new Problem("domain-taken", { domain: "a" })]);
	expect(new Set([first, second, third]).size).toBe(3);
});

test("while the first request is still at work, asking again is the same one", async () => {
	const [first, second] = await keys(["a", "a"], [new Problem("key-busy"), undefined]);
	expect(second).toBe(first);
});
