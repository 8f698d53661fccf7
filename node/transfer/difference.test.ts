import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyDifference, writeDifference } from "./difference.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "difference-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

async function difference(older: readonly string[], newer: readonly string[]): Promise<string> {
	writeFileSync(at("older"), text(older));
	writeFileSync(at("newer"), text(newer));
	await writeDifference(at("older"), at("newer"), at("difference"));
	return readFileSync(at("difference"), "utf8");
}

async function applied(difference: string, length: number): Promise<string | undefined> {
	writeFileSync(at("difference"), difference);
	if (await applyDifference(at("older"), at("difference"), at("again"), length))
		return readFileSync(at("again"), "utf8");
}

const line = (what: unknown) => `{"path":"${what}"}`;

test("a difference gives the newer listing again, whatever was changed", async () => {
	const lines = fc.array(
		fc.nat(30).map((number) => line(`ä${number}`)),
		{ maxLength: 40 },
	);
	await fc.assert(
		fc.asyncProperty(lines, lines, async (older, newer) => {
			expect(await applied(await difference(older, newer), text(newer).length * 2)).toBe(text(newer));
		}),
		{ numRuns: 60, examples: [[["a", "b", "a"].map(line), ["b", "b"].map(line)]] },
	);
});

test("what stayed is told in a few bytes", async () => {
	const older = Array.from({ length: 20_000 }, (_, number) => line(number));
	const newer = older.flatMap((text, number) => {
		if (number % 1000 === 1) return [];
		if (number % 1000 === 2) return [line(`new ${number}`), text];
		return number % 1000 === 3 ? [line(`changed ${number}`)] : [text];
	});
	const told = await difference(older, newer);
	expect(told.length).toBeLessThan(3000);
	expect(await applied(told, text(newer).length)).toBe(text(newer));
	expect(await difference(older, older)).toBe("[0,20000]\n");
});

test("a whole listing is a difference too", async () => {
	await difference([line(1)], []);
	expect(await applied(text([line(2), line(3)]), 1000)).toBe(text([line(2), line(3)]));
});

test("nonsense and bombs give nothing", async () => {
	await difference(
		Array.from({ length: 100 }, (_, number) => line(number)),
		[],
	);
	for (const wrong of [
		"[1]\n",
		"[-1,2]\n",
		"[5,2]\n[4,1]\n",
		"[0,101]\n",
		"[0,99999999999]\n",
		"[1,1",
		`${line(1)}`,
		'["0",1]\n',
	])
		expect(await applied(wrong, 10_000), wrong).toBeUndefined();
	expect(await applied("[0,100]\n", 500)).toBeUndefined();
	expect(statSync(at("again")).size).toBeLessThan(1000);
});
