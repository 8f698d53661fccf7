import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

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
	file(
		"run.ts",
		`import { startVitest } from "vitest/node";
		import { Tally } from ${JSON.stringify(join(import.meta.dirname, "tally.ts"))};
		const tally = new Tally();
		const vitest = await startVitest("test", [], { root: import.meta.dirname, config: false, watch: false, reporters: [tally] });
		await vitest.close();
		console.log(JSON.stringify({ line: tally.line, skipped: tally.skipped }));
		process.exit(0);`,
	);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("counts what passed, what failed in any way, and what was left out with its reason", () => {
	const out = execFileSync(process.execPath, [join(folder, "run.ts")], { encoding: "utf8", stdio: "pipe" });
	expect(JSON.parse(out.trim().split("\n").at(-1) ?? "")).toEqual({
		// A test that fails, a file that cannot be loaded, an error nobody waited for.
		line: "2 passed, 3 failed, 2 skipped",
		skipped: ["some.test.ts > notices (no network here)", "some.test.ts > far away (needs a rocket) > lands"],
	});
});
