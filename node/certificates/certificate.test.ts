import { expect, test } from "vitest";
import { backOff, covers, isDue } from "./certificate.ts";

const day = 86_400_000;
const hour = 3_600_000;

test.each([
	["90 days, 31 before its end", 90, 31, false],
	["90 days, 30 before its end", 90, 30, true],
	["a year, 31 before its end", 365, 31, false],
	["45 days, 16 before its end", 45, 16, false],
	["45 days, 15 before its end", 45, 15, true],
	["6 days, 3 before its end", 6, 3, false],
	["6 days, 1 before its end", 6, 1, true],
])("one for %s", (_what, life, left, due) => {
	expect(isDue({ beginsAt: 0, endsAt: life * day }, (life - left) * day)).toBe(due);
});

test("none at all is due", () => {
	expect(isDue({ beginsAt: null, endsAt: null }, 0)).toBe(true);
});

test("the wait doubles from half an hour to a day", () => {
	expect([1, 2, 3, 6, 7, 50].map((failures) => backOff(failures) / hour)).toEqual([0.5, 1, 2, 16, 24, 24]);
});

test("a certificate is for all hosts or not for these", () => {
	expect(covers({ hosts: ["a.example", "b.example"] }, ["b.example"])).toBe(true);
	expect(covers({ hosts: ["a.example"] }, ["a.example", "b.example"])).toBe(false);
});
