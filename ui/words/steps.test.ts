// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import type { Step } from "../views.ts";
import { setLanguage } from "./language.ts";
import { stepNote } from "./steps.ts";

const said = (note: string | null, state: Step["state"] = "running") => stepNote({ note, state });

afterEach(() => setLanguage("en"));

test("what a step says of itself keeps its numbers", () => {
	expect(said("9.5 MB of 84 MB, 340 of 1200 files, 5.1 MB a second")).toBe(
		"9.5 MB of 84 MB · 340 of 1,200 files · 5.1 MB/s",
	);
	expect(said("12.3 of 18 GB · 61204 files looked at")).toBe("12.3 of 18 GB · 61,204 files looked at");
});

test("and has them in German as Germans write them", async () => {
	await setLanguage("de");
	expect(said("9.5 MB of 84 MB, 340 of 1200 files, 5.1 MB a second")).toBe(
		"9,5 MB von 84 MB · 340 von 1.200 Dateien · 5,1 MB/s",
	);
	expect(said("waiting for the new provider")).toBe("wartet auf den neuen Anbieter");
});

test("what it does not know stays as it is", async () => {
	await setLanguage("de");
	for (const note of ["snac2 2.75 is there already", "attempt 3 at 10.5 seconds", ""]) expect(said(note)).toBe(note);
});

test("whom it waited for is no news once it is done", () => {
	expect(said("waiting for the new provider")).toBe("waiting for the new provider");
	expect(said("waiting for the new provider", "done")).toBe("");
	expect(said("12 kB of 12 kB, 7 of 7 files", "done")).toBe("12 kB of 12 kB · 7 of 7 files");
	expect(said(null)).toBe("");
});
