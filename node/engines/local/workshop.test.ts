import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, listening, scratch } from "../../../test/contracts/tiny/world.ts";
import { LocalWorkshop } from "./workshop.ts";

let at: ReturnType<typeof scratch>;
let shop: LocalWorkshop;
beforeEach(() => {
	at = scratch();
	shop = new LocalWorkshop(join(at.folder, "cache"), { PATH: process.env["PATH"] ?? "" });
});
afterEach(() => at.remove());

describe("what is kept", () => {
	test("is filled once, also when two ask at a time, and then found", async () => {
		let fills = 0;
		const fill = async (folder: string) => {
			fills++;
			writeFileSync(join(folder, "program"), "whole");
		};
		expect(await shop.kept("thing")).toBeUndefined();
		const [one, two] = await Promise.all([shop.keep("thing", fill), shop.keep("thing", fill)]);
		expect(one).toBe(two);
		expect(await shop.keep("thing", fill)).toBe(one);
		expect(fills).toBe(1);
		expect(await shop.kept("thing")).toBe(join(at.folder, "cache/thing"));
		expect(readFileSync(join(one, "program"), "utf8")).toBe("whole");
	});

	test("is whole or not there: a fill that fails leaves nothing, and the next one is tried", async () => {
		const fails = async (folder: string) => {
			writeFileSync(join(folder, "half"), "");
			throw new Error("the network is gone");
		};
		await expect(shop.keep("thing", fails)).rejects.toThrow("the network is gone");
		expect(readdirSync(shop.cache)).toEqual([]);
		expect(await shop.kept("thing")).toBeUndefined();
		await shop.keep("thing", async () => {});
		expect(readdirSync(shop.cache)).toEqual(["thing"]);
	});

	test("is not torn by another node that was faster", async () => {
		const folder = await shop.keep("thing", async (scratchFolder) => {
			writeFileSync(join(scratchFolder, "mine"), "");
			mkdirSync(join(shop.cache, "thing"));
			writeFileSync(join(shop.cache, "thing/theirs"), "");
		});
		expect(readdirSync(folder)).toEqual(["theirs"]);
		expect(readdirSync(shop.cache)).toEqual(["thing"]);
	});

	test("is cleared of what killed nodes left half done, not of what living ones do", async () => {
		const { pid: dead } = spawnSync("true");
		for (const pid of [dead, process.ppid]) mkdirSync(join(shop.cache, `.filling-${pid}-x`), { recursive: true });
		await shop.keep("thing", async () => {});
		expect(readdirSync(shop.cache).sort()).toEqual([`.filling-${process.ppid}-x`, "thing"]);
	});
});

describe("running a program", () => {
	test("answers its output and reports both of its outputs line by line", async () => {
		mkdirSync(shop.cache);
		const report = listening();
		expect(await shop.run(["sh", "-c", "echo out; echo err >&2; cat"], report, { input: "in" })).toBe("out\nin");
		expect([...report.lines].sort()).toEqual(["err", "in", "out"]);
	});

	test("quietly says nothing, not even when it fails", async () => {
		mkdirSync(shop.cache);
		const report = listening();
		const failing = shop.run(["sh", "-c", "echo secret; echo secret >&2; exit 7"], report, { quiet: true });
		const error = (await failing.catch((reason: unknown) => reason)) as Error;
		expect(error.message).toBe("sh ended with exit code 7");
		expect(report.lines).toEqual([]);
	});

	test("tells the last line of one that fails aloud", async () => {
		mkdirSync(shop.cache);
		await expect(shop.run(["sh", "-c", "echo why >&2; exit 7"], listening())).rejects.toThrow("exit code 7: why");
	});

	test("ends it and all it started when it is aborted", async () => {
		mkdirSync(shop.cache);
		const stop = new AbortController();
		const file = join(at.folder, "child");
		const script = `trap "" TERM; (trap "" TERM; echo $$ > ${file}; while :; do sleep 0.05; done) & wait`;
		const work = shop.run(["sh", "-c", script], listening(stop.signal));
		while (!existsSync(file)) await new Promise((done) => setTimeout(done, 5));
		stop.abort(new Error("enough"));
		await expect(work).rejects.toThrow("enough");
		const group = Number(readFileSync(file, "utf8"));
		await eventually(() => expect(() => process.kill(-group, 0)).toThrow("ESRCH"));
	});

	test("does not start one for work that is aborted already", async () => {
		const work = shop.run(["touch", join(at.folder, "started")], listening(AbortSignal.abort(new Error("enough"))));
		await expect(work).rejects.toThrow("enough");
		expect(existsSync(join(at.folder, "started"))).toBe(false);
	});
});

describe("the search path", () => {
	test("gives the first program of a name, and neither folders nor plain files", async () => {
		for (const folder of ["a/tool", "b", "c"]) mkdirSync(join(at.folder, folder), { recursive: true });
		writeFileSync(join(at.folder, "b/tool"), "", { mode: 0o644 });
		writeFileSync(join(at.folder, "c/tool"), "", { mode: 0o755 });
		const path = ["a", "b", "c"].map((folder) => join(at.folder, folder)).join(":");
		const found = new LocalWorkshop(shop.cache, { PATH: path });
		expect(await found.which("tool")).toBe(join(at.folder, "c/tool"));
		expect(await found.which("nothing")).toBeUndefined();
	});
});
