import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tiny } from "../../../test/contracts/tiny/tiny.ts";
import { cache, engineIn } from "../../../test/contracts/tiny/world.ts";
import { catalogue } from "../../services/catalogue.ts";
import type { Recipe } from "./recipe.ts";
import { upstream, Versions } from "./versions.ts";
import { LocalWorkshop } from "./workshop.ts";

let folder: string;
let shop: LocalWorkshop;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "fediversity-versions-"));
	shop = new LocalWorkshop(folder, { PATH: process.env["PATH"] ?? "" });
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(output: string, more = ""): Recipe {
	const path = join(folder, "program");
	writeFileSync(path, `#!/bin/sh\necho asked >>"${folder}/asked"\necho '${output}'\n${more}`, { mode: 0o755 });
	return tiny("tiny", "good", { find: async () => ({ path }), versionCommand: ({ path }) => [path, "--version"] });
}

async function timesAsked(): Promise<number> {
	return (await shop.run(["cat", join(folder, "asked")], quiet, { quiet: true })).trim().split("\n").length;
}
const quiet = { signal: new AbortController().signal, progress: () => {}, log: () => {} };

describe("a program's version", () => {
	test.each([
		["gotosocial version 0.17.3-rc1", "0.17.3"],
		["garage cargo:2.5.0 [features: k2v]", "2.5.0"],
		["snac 2.75 - A simple, minimalistic ActivityPub instance", "2.75"],
		["0.12.3-1+deb12u1", "0.12.3"],
		["no number here", undefined],
	])("%s", async (output, version) => {
		expect(await new Versions().of(program(output), shop)).toBe(version);
	});

	test("is asked for once, until there is another program", async () => {
		const versions = new Versions();
		const recipe = program("tiny 1.0");
		utimesSync(join(folder, "program"), 1, 1);
		for (let n = 0; n < 3; n++) expect(await versions.of(recipe, shop)).toBe("1.0");
		expect(await timesAsked()).toBe(1);
		const newer = program("tiny 1.1");
		utimesSync(join(folder, "program"), 2, 2);
		for (let n = 0; n < 3; n++) expect(await versions.of(newer, shop)).toBe("1.1");
		expect(await timesAsked()).toBe(2);
	});

	test("is not known of one that fails, or is not here", async () => {
		expect(await new Versions().of(program("tiny 1.0", "exit 1"), shop)).toBeUndefined();
		expect(await new Versions().of(tiny("tiny", "good", { find: async () => undefined }), shop)).toBeUndefined();
	});

	test("is upstream's", () => {
		expect(["1:2.75-1~bpo12+1", "13.0.1", "2.0~rc1-3"].map(upstream)).toEqual(["2.75", "13.0.1", "2.0"]);
	});
});

test("the engine says it of every service whose program is here", async () => {
	const engine = engineIn(folder, { cache });
	for (const service of catalogue) {
		const ability = await engine.can(service);
		if (ability.can && ability.version) expect(ability.version).toMatch(/^\d+(\.\d+)+$/);
	}
	const wiki = catalogue.find(({ name }) => name === "wiki");
	if (!wiki) throw new Error("no wiki");
	const ability = await engine.can(wiki);
	if (ability.can) expect(ability.version).toMatch(/^0\.\d+\.\d+$/);
});
