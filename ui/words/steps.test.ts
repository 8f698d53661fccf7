// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { setLanguage } from "./language.ts";
import { stepNote } from "./steps.ts";

afterEach(() => setLanguage("en"));

test("what a step says of itself keeps its numbers", () => {
	expect(stepNote("9.5 of 84 MB, 340 of 1200 files, 5.1 MB a second")).toBe(
		"9.5 of 84 MB · 340 of 1,200 files · 5.1 MB/s",
	);
	expect(stepNote("12.3 of 18 GB · 61204 files looked at")).toBe("12.3 of 18 GB · 61,204 files looked at");
});

test("and has them in German as Germans write them", async () => {
	await setLanguage("de");
	expect(stepNote("9.5 of 84 MB, 340 of 1200 files, 5.1 MB a second")).toBe(
		"9,5 von 84 MB · 340 von 1.200 Dateien · 5,1 MB/s",
	);
	expect(stepNote("waiting for the new provider")).toBe("wartet auf den neuen Anbieter");
});

test("what it does not know stays as it is", async () => {
	await setLanguage("de");
	for (const note of ["snac2 2.75 is there already", "attempt 3 at 10.5 seconds", ""])
		expect(stepNote(note)).toBe(note);
});
