import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { provideTools } from "./tools.ts";

let folder: string;
let said: string[];
let installed: string[];
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "tools-"));
	said = [];
	installed = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const say = (line: string) => said.push(line);
const tools = () =>
	[
		["knot", [join(folder, "knotd")], "zones"],
		["chromium", [join(folder, "chromium"), join(folder, "chrome")], "the panel"],
	] as const;
const install = (names: readonly string[]) => {
	installed.push(...names);
	if (names.includes("knot")) writeFileSync(join(folder, "knotd"), "");
};

test("what is there is not installed, wherever it is", () => {
	for (const file of ["knotd", "chrome"]) writeFileSync(join(folder, file), "");
	provideTools(say, tools(), install);
	expect([installed, said]).toEqual([[], []]);
});

test("what is missing is installed, and what could not be is named with the tests that go without", () => {
	provideTools(say, tools(), install);
	expect(installed).toEqual(["knot", "chromium"]);
	expect(said).toEqual([
		"Not installed: chromium. Skipped without: the panel.",
		"On Debian or Ubuntu: sudo apt-get install --no-install-recommends chromium",
	]);
});

test("where nothing can be installed everything missing is named", () => {
	provideTools(say, tools(), null);
	expect(said[0]).toBe("Not installed: knot, chromium. Skipped without: zones; the panel.");
});
