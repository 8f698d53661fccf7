import { expect, test } from "vitest";
import type { Config } from "../config.ts";
import type { Carrying } from "../machines/machine.ts";
import { bad, good } from "./finding.ts";
import { machines } from "./machines.ts";

const one = { id: "one", state: "open", deployment: null } as Carrying;
const config = (kind: Config["engine"]["kind"] = "nixops4", keyFile = import.meta.filename) =>
	({ engine: { kind, keyFile } }) as Config;
const pool = (all: Carrying[], missing: string | null = null, found = [good("agent", "It answers")]) => ({
	all: () => all,
	check: async () => found,
	missing: async () => missing,
});
const looked = async (...asked: Parameters<typeof machines>) =>
	(await machines(...asked)).map(({ check, state }) => `${check} ${state}`);

test("a node whose services run elsewhere has no machines to look at", async () => {
	expect(await looked(config("local"), pool([]))).toEqual([]);
	expect(await looked(config(), undefined)).toEqual([]);
});

test("what is there is good", async () => {
	expect(await looked(config(), pool([one]))).toEqual(["nixops4 good", "machines good", "machine:one good"]);
});

test("a missing program, an empty pool, a full one and a lost key are told with what to do", async () => {
	const empty = await machines(config(), pool([], "nix"));
	expect(empty).toMatchObject([
		{ check: "nixops4", state: "bad", detail: "nix is not installed", fix: expect.stringContaining("nixos.org") },
		{ check: "machines", state: "bad", fix: expect.stringContaining("machine add") },
	]);
	const full = [
		{ ...one, deployment: "d1" },
		{ ...one, id: "two", state: "draining" as const },
	];
	expect(await looked(config("nixops4", "/nowhere/key"), pool(full))).toEqual([
		...["nixops4 good", "machine-key bad", "machines warning", "machine:one good", "machine:two good"],
	]);
});

test("what is wrong on a machine is told with its name", async () => {
	const found = [good("reached", "ssh"), bad("agent", "There is none", "Switch it")];
	expect((await machines(config(), pool([one], null, found))).at(-1)).toEqual(
		bad("machine:one", "agent: There is none", "Switch it"),
	);
});
