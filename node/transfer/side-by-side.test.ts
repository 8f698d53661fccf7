import { expect, test } from "vitest";
import { sideBySide } from "./side-by-side.ts";

const never = new AbortController().signal;

test("answers come in the order of the items, whichever is ready first, and a few are under way at once", async () => {
	const open: (() => void)[] = [];
	let most = 0;
	const working = sideBySide([1, 2, 3, 4, 5, 6], never, async (item) => {
		await new Promise<void>((resolve) => {
			open.push(resolve);
			most = Math.max(most, open.length);
		});
		return item * 2;
	});
	const isOver = working.then(() => true);
	while (!(await Promise.race([isOver, new Promise((resolve) => setImmediate(() => resolve(false)))]))) open.pop()?.();
	expect(await working).toEqual([2, 4, 6, 8, 10, 12]);
	expect(most).toBe(4);
});

test("a failure aborts the others, is thrown when they have ended, and nothing new begins", async () => {
	const ended: number[] = [];
	const working = sideBySide([0, 1, 2, 3, 4, 5], never, async (item, signal) => {
		if (item === 2) throw new Error("two");
		await new Promise<void>((resolve) => signal.addEventListener("abort", () => setImmediate(resolve)));
		ended.push(item);
	});
	await expect(working).rejects.toThrow("two");
	expect(ended).toEqual([0, 1, 3]);
});

test("is over for everybody when it is called off from outside", async () => {
	const calling = new AbortController();
	const working = sideBySide(
		[1, 2],
		calling.signal,
		(_item, signal) =>
			new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
	);
	calling.abort(new Error("enough"));
	await expect(working).rejects.toThrow("enough");
});
