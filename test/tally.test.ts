import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestCase } from "vitest/node";
import { Tally } from "./tally.ts";

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "tally-"));
	symlinkSync(join(import.meta.dirname, "../node_modules"), join(folder, "node_modules"));
	const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
	file(
		"some.test.ts",
		`import { describe, expect, test } from "vitest";
		test("passes", () => {});
		test("fails", () => expect(1).toBe(2));
		test("notices", (context) => context.skip("no network here"));
		describe.skipIf(true)("far away (needs a rocket)", () => test("lands", () => {}));`,
	);
	file("broken.test.ts", `import "./nowhere.ts";`);
	file(
		"stray.test.ts",
		`import { test } from "vitest";
		test("passes too", () => void Promise.reject(new Error("nobody waited for this")));`,
	);
	mkdirSync(join(folder, "weather"));
	file(
		"weather/fair.test.ts",
		`import { existsSync, writeFileSync } from "node:fs";
		import { expect, test } from "vitest";
		test("passes", () => {});
		test("passes the second time", () => {
			const been = existsSync("been");
			writeFileSync("been", "");
			expect(been).toBe(true);
		});`,
	);
	file(
		"run.ts",
		`import { startVitest } from "vitest/node";
		import { Tally } from ${JSON.stringify(join(import.meta.dirname, "tally.ts"))};
		const tally = new Tally();
		const vitest = await startVitest("test", [process.argv[2]], { root: import.meta.dirname, config: false, watch: false, reporters: [tally] });
		await vitest.close();
		console.log(JSON.stringify({ line: tally.line, skipped: tally.skipped, shaky: tally.shaky }));
		process.exit(0);`,
	);
});
afterAll(() => rmSync(folder, { recursive: true }));

function tallied(filter: string): { line: string; skipped: string[]; shaky: string[] } {
	const words = [join(folder, "run.ts"), filter];
	const out = execFileSync(process.execPath, words, { encoding: "utf8", stdio: "pipe", cwd: folder });
	return JSON.parse(out.trim().split("\n").at(-1) ?? "");
}

test("counts what passed, what failed in any way, and what was left out with its reason", () => {
	// A test that fails, a file that cannot be loaded, an error nobody waited for: no second try mends the last two.
	const { line, skipped, shaky } = tallied("test.ts");
	expect({ line, skipped, shaky }).toEqual({
		line: "3 passed, 4 failed, 2 skipped",
		skipped: ["some.test.ts > notices (no network here)", "some.test.ts > far away (needs a rocket) > lands"],
		shaky: [],
	});
});

test("names the files in which a test failed, for a second try", () => {
	rmSync(join(folder, "been"), { force: true });
	expect(tallied("weather/fair").shaky).toEqual([join(folder, "weather/fair.test.ts")]);
	const second = tallied("weather/fair");
	expect(second.shaky).toEqual([]);
	expect(second.line).toBe("2 passed, 0 failed, 0 skipped");
});

test("what failed counts as passed once a second try has mended it; many files that fail are not the weather", () => {
	const tally = new Tally();
	const fails = (moduleId: string) =>
		tally.onTestCaseResult({ module: { moduleId }, result: () => ({ state: "failed" }) } as unknown as TestCase);
	for (const file of ["a", "a", "b", "c"]) fails(file);
	expect(tally.shaky).toEqual(["a", "b", "c"]);
	fails("d");
	expect(tally.shaky).toEqual([]);
	tally.mend();
	expect(tally.line).toBe("5 passed, 0 failed, 0 skipped");
});
