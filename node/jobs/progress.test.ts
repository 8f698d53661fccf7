import { expect, test } from "vitest";
import { until } from "../../test/jobs/yard.ts";
import { Progress } from "./progress.ts";
import type { StepEvent } from "./saga.ts";

const told = (fraction: number | null, note: string | null = null): StepEvent => ({ type: "progress", fraction, note });

test("the first word is written at once, then only the latest", async () => {
	const written: StepEvent[] = [];
	const progress = new Progress(5, (event) => written.push(event));
	progress.say(0.1, "1 of 10");
	expect(written).toEqual([told(0.1, "1 of 10")]);
	for (let n = 0; n < 1000; n++) progress.say(n / 1000, `${n} of 1000`);
	await until(() => written.length > 1);
	expect(written.slice(1)).toEqual([told(0.999, "999 of 1000")]);
	progress.close();
});

test("what is said again is not written again", async () => {
	const written: StepEvent[] = [];
	const progress = new Progress(1, (event) => written.push(event));
	for (const fraction of [0.5, 0.5, 0.5, 0.6]) {
		progress.say(fraction);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	await until(() => written.length > 1);
	expect(written).toEqual([told(0.5), told(0.6)]);
	progress.close();
});

test("what cannot be is put right", () => {
	const written: StepEvent[] = [];
	for (const [fraction, note] of [
		[7, "x".repeat(1000)],
		[-1, undefined],
		[Number.NaN, ""],
		[null, "12 of ? MB"],
	] as const)
		new Progress(1, (event) => written.push(event)).say(fraction, note);
	expect(written).toEqual([told(1, "x".repeat(200)), told(0), told(null, ""), told(null, "12 of ? MB")]);
});

test("what cannot be written fails nobody, now and later", async () => {
	let tries = 0;
	const progress = new Progress(1, () => {
		tries++;
		throw new Error("the disk is full");
	});
	progress.say(0.1);
	progress.say(0.2);
	await until(() => tries === 2);
	progress.close();
});

test("the last word before the end is written, and nothing after it", async () => {
	const written: StepEvent[] = [];
	const progress = new Progress(1, (event) => written.push(event));
	progress.say(0.1);
	progress.say(0.2);
	progress.close();
	progress.say(0.3);
	await new Promise((resolve) => setTimeout(resolve, 10));
	expect(written).toEqual([told(0.1), told(0.2)]);
});
