// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { setLanguage } from "./language.ts";
import { stepNote } from "./steps.ts";

afterEach(() => setLanguage("en"));

const note = "49.6 of 85.4 MB · 12.5 MB/s · 2,410 items";

test("what a step says of itself keeps its numbers", () => {
	expect(stepNote(note)).toBe(note);
	expect(stepNote("snac2-2.75 is there already")).toBe("snac2-2.75 is there already");
});

test("and has them in German as Germans write them", async () => {
	await setLanguage("de");
	expect(stepNote(note)).toBe("49,6 von 85,4 MB · 12,5 MB/s · 2.410 Einträge");
	expect(stepNote("900 kB of 1.2 MB")).toBe("900 kB von 1,2 MB");
	expect(stepNote("12 checks passed")).toBe("12 checks passed");
});
