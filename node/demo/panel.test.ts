import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildPanel } from "./panel.ts";

let root: string;
const told: string[] = [];
const build = () => buildPanel((message) => told.push(message), {}, root);
const page = () => readFileSync(join(root, "dist/ui/index.html"), "utf8");

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "panel-"));
	told.length = 0;
	for (const folder of ["ui/parts", "protocol", "node_modules/vite/bin"])
		mkdirSync(join(root, folder), { recursive: true });
	for (const file of ["ui/parts/a.ts", "protocol/b.ts", "package-lock.json"]) touch(file, 1000);
	// In place of vite: puts what it was told into the page.
	writeFileSync(
		join(root, "node_modules/vite/bin/vite.js"),
		`const { existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
		if (existsSync("broken")) { console.error("no such part"); process.exit(1); }
		const folder = process.argv[process.argv.indexOf("--outDir") + 1];
		mkdirSync(folder, { recursive: true });
		writeFileSync(folder + "/index.html", readFileSync("ui/parts/a.ts", "utf8") + " " + process.env.NODE_ENV);`,
	);
});
afterEach(() => rmSync(root, { recursive: true }));

function touch(file: string, at: number, text = "one") {
	writeFileSync(join(root, file), text);
	utimesSync(join(root, file), at, at);
}

test("builds what is missing, for production, and then no more", async () => {
	await build();
	expect(page()).toBe("one production");
	await build();
	expect(told).toEqual(["Building the panel …"]);
});

test("builds again when something in it is newer, but not for a test", async () => {
	await build();
	touch("ui/parts/a.test.ts", 4_000_000_000);
	await build();
	expect(told).toHaveLength(1);
	touch("ui/parts/a.ts", 4_000_000_000, "two");
	await build();
	expect(page()).toBe("two production");
});

test("a build that fails says why, and leaves the one before as it was", async () => {
	await build();
	touch("protocol/b.ts", 4_000_000_000);
	writeFileSync(join(root, "broken"), "");
	await expect(build()).rejects.toThrow(/could not be built:\nno such part/);
	expect(page()).toBe("one production");
	expect(existsSync(join(root, "dist/ui"))).toBe(true);
	expect(readdirSync(join(root, "dist"))).toEqual(["ui"]);
});
