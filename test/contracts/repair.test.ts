/** What every engine promises of setting up again: what was spoilt on purpose is right afterwards, and nothing else is touched. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Plan as NixPlan } from "#protocol/nixops4/plan.ts";
import type { Engine, Plan, Report, Stage } from "../../node/engines/engine.ts";
import { Nixops4Engine } from "../../node/engines/nixops4/nixops4-engine.ts";
import { isSame, planned, type Site as Site4 } from "../../node/engines/nixops4/planned.ts";
import { hasSshd, type SshMachine } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { planFor, StrawNode } from "../nixops4/straw/node.ts";
import { upset } from "../nixops4/straw/straw.ts";
import { hasPostgres } from "../postgres.ts";
import { tiny } from "./tiny/tiny.ts";
import { engineIn, eventually, listening, planFor as localPlan, scratch } from "./tiny/world.ts";

interface Site {
	readonly plan: Plan;
	readonly engine: () => Engine;
	/** The service's main process. */
	pid(): Promise<number>;
	/** Leaves something that must be there later, and looks whether it is. */
	leave(): void;
	isThere(): boolean;
	/** Ends a stage in the middle of it. */
	interrupt(stage: Stage): Promise<void>;
	readonly drifts: Readonly<Record<string, () => void | Promise<void>>>;
	close(): Promise<void>;
}

const canStraw = (await nix()) !== null && hasSshd && hasPostgres;
const sites: Record<string, { can: boolean; open(): Promise<Site> }> = {
	"the local engine": { can: true, open: local },
	"the NixOps4 engine (needs Nix, sshd and PostgreSQL)": { can: canStraw, open: straw },
};

for (const [name, { can, open }] of Object.entries(sites))
	describe.skipIf(!can)(name, { timeout: 400_000 }, () => {
		let site: Site;
		beforeAll(async () => {
			site = await open();
			await site.engine().apply(site.plan, listening());
			site.leave();
		}, 400_000);
		afterAll(() => site?.close());

		const repair = async () => {
			for (const stage of site.engine().repair(site.plan)) await stage.run(listening());
		};
		const health = async () => (await site.engine().look(site.plan)).map((seen) => seen.health);

		test("its stages have names and sentences of their own", () => {
			const stages = site.engine().repair(site.plan);
			expect(new Set(stages.map(({ name }) => name)).size).toBe(stages.length);
			for (const { title, deadline, seconds } of stages) {
				expect(title).not.toMatch(/[{}]/);
				expect(deadline).toBeGreaterThan(seconds);
			}
		});

		test("what is well goes on undisturbed, also where nobody knows whether it had come to its end", async () => {
			const before = await site.pid();
			for (const stage of site.engine().repair(site.plan)) {
				await site.interrupt(stage);
				await stage.run(listening());
			}
			expect(await site.pid()).toBe(before);
			expect(await health()).toEqual(["well"]);
			expect(site.isThere()).toBe(true);
		});

		test("each way in which it was spoilt is put right, and its state stays", async () => {
			for (const [what, spoil] of Object.entries(site.drifts)) {
				const before = await site.pid();
				await spoil();
				await repair();
				expect(await health(), what).toEqual(["well"]);
				expect(await status(site), what).toBe(200);
				expect(await site.pid(), what).not.toBe(before);
				expect(site.isThere(), what).toBe(true);
			}
		});
	});

describe("on a machine, what its system has nothing to do with", () => {
	/** An agent whose unit gets well after so many of these words. */
	async function mended(isWell: (said: readonly string[]) => boolean): Promise<string[]> {
		const said: string[] = [];
		const say = (word: string) => async () => void said.push(word);
		const probe = async () => ({ held: null, units: { one: isWell(said) ? "active" : "inactive" }, answer: null });
		const machines = { of: () => ({ id: "m1" }), agent: () => ({ thaw: say("thaw"), stop: say("stop"), probe }) };
		const engine = new Nixops4Engine({ machines, readySeconds: 0.1 } as never);
		for (const stage of engine.repair(planFor("d1", ["galene"])).slice(1)) await stage.run(listening());
		return said;
	}

	test("is started where somebody has stopped it, and started anew only where that does not help", async () => {
		expect(await mended((said) => said.includes("thaw"))).toEqual(["thaw"]);
		expect(await mended((said) => said.length === 3)).toEqual(["thaw", "stop", "thaw"]);
		await expect(mended(() => false)).rejects.toMatchObject({ code: "service-not-ready" });
	});
});

describe("called off half-way, nothing is left down", () => {
	/** Calls it off with these words in the log. */
	function calledOff(word: string): Report {
		const ending = new AbortController();
		const off = (line: string) => line === word && ending.abort(new Error("called off"));
		return { signal: ending.signal, progress() {}, log: off };
	}

	test("on this machine", async () => {
		const { engine, plan, pid, drifts, close } = await local();
		try {
			await engine().apply(plan, listening());
			const before = await pid();
			const restarting = engine().restart(plan, "tiny", calledOff("Its settings are as they should be"));
			await expect(restarting).rejects.toThrow("called off");
			await eventually(() => expect(engine().backend(plan.services[0]?.hosts[0] ?? "")?.kind).toBe("up"), 60);
			const since = await pid();
			expect(since).not.toBe(before);
			await drifts["its settings are others, and it does not know yet"]?.();
			const repairing = engine().repair(plan)[1]?.run(calledOff("No process of it runs"));
			await expect(repairing).rejects.toThrow("called off");
			// Half set up it may not get well, and is offered to be set up again.
			await eventually(async () => {
				const [seen] = await engine().look(plan);
				expect(["starting", "unwell"]).toContain(seen?.health);
			}, 60);
		} finally {
			await close();
		}
	});

	test("on a machine", async () => {
		const said: string[] = [];
		const report = calledOff("stopping");
		const stop = async (_: string, signal: AbortSignal) => {
			report.log("stopping");
			signal.throwIfAborted();
		};
		const thaw = async (_: string, signal?: AbortSignal) => void (signal?.aborted || said.push("thawed"));
		const machines = { of: () => ({ id: "m1" }), agent: () => ({ stop, thaw }) };
		const engine = new Nixops4Engine({ machines } as never);
		await expect(engine.restart(planFor("d1", ["galene"]), "galene", report)).rejects.toThrow("called off");
		expect(said).toEqual(["thawed"]);
	});
});

describe("customers' keys", () => {
	const key = (letter: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`;
	const site = (customerKeys: Site4["customerKeys"]): Site4 => ({
		...{ provider: { executable: "node", args: [] }, identityFile: null, system: "x86_64-linux", customerKeys },
	});
	const plan = planFor("d1", ["galene"]);

	test("go along in the plan, where the provider lets them, and not to a machine that is given back", () => {
		const keysIn = (keys: readonly string[] | null, mode: Plan["mode"] = "serving") =>
			NixPlan.parse(planned({ ...plan, mode }, site(keys && (() => keys)))).customerKeys;
		expect(keysIn(null)).toEqual([]);
		expect(keysIn([key("B"), `${key("A")} ada@laptop`])).toEqual([key("A"), key("B")]);
		expect(keysIn([key("A")], "absent")).toEqual([]);
		for (const evil of [`command="id" ${key("A")}`, `${key("A")}\n${key("B")}`, "ssh-ed25519 AAAA"])
			expect(() => keysIn([evil])).toThrow();
	});

	test("alone are not worth a run", () => {
		const before = planned(
			plan,
			site(() => [key("A")]),
		);
		expect(
			isSame(
				before,
				planned(
					plan,
					site(() => [key("B")]),
				),
			),
		).toBe(true);
		expect(
			isSame(
				before,
				planned(
					planFor("d1", ["gotosocial"]),
					site(() => [key("A")]),
				),
			),
		).toBe(false);
	});
});

async function local(): Promise<Site> {
	const at = scratch();
	const engine = engineIn(at.folder, { recipes: [tiny()] });
	const plan = localPlan("tiny");
	const state = (file: string) => join(at.folder, "services/dep-choir/tiny/state", file);
	const pid = async () => Number(await body(engine, plan, "/pid"));
	const settings = () => JSON.parse(readFileSync(state("settings.json"), "utf8"));
	const spoilt = () =>
		writeFileSync(state("settings.json"), JSON.stringify({ ...settings(), behaviour: "never-ready" }));
	return {
		...{ plan, pid, engine: () => engine, interrupt: (stage) => stage.run(listening()) },
		leave: () => writeFileSync(state("diary"), "In tune"),
		isThere: () => readFileSync(state("diary"), "utf8") === "In tune",
		drifts: {
			async "its settings are gone, and it cannot start without them"() {
				const before = await pid();
				rmSync(state("settings.json"));
				process.kill(before, "SIGKILL");
			},
			"its settings are others, and it does not know yet": spoilt,
			async "its settings are right, and yet it does not do what they say"() {
				const [before, written] = [await pid(), readFileSync(state("settings.json"))];
				spoilt();
				process.kill(before, "SIGKILL");
				const says = async () => (await engine.look(plan))[0]?.probes[0]?.detail;
				await eventually(async () => expect(await says()).toBe("answered 503"), 60);
				writeFileSync(state("settings.json"), written);
			},
		},
		async close() {
			await engine.close();
			at.remove();
		},
	};
}

/** Brings its customer's keys along, which change before it is set up again for the first time. */
async function straw(): Promise<Site> {
	const node = await StrawNode.open(1);
	appendFileSync(join(node.folder, "node.toml"), "engine.customer_ssh = true\n");
	const plan = planFor("d1", ["gotosocial"]);
	const machine = node.straw.machines[0] as SshMachine;
	const at = (name: string) => machine.at(name);
	const unit = "straw-d1-gotosocial.service";
	const written = () => JSON.parse(readFileSync(join(node.work("d1"), "plan.json"), "utf8"));
	const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
	let engine = node.engine();
	return {
		...{ plan, engine: () => engine },
		// By kill -9 of the node.
		async interrupt() {
			if (written().generation > 1) return;
			const { address, port } = machine.machine;
			expect(engine.signIn(plan)).toEqual({ user: "customer", address, port, keys: 0, current: true });
			node.customerKeys = [key];
			await engine.close();
			upset(machine, { slow: 100_000 });
			const words = [join(import.meta.dirname, "../nixops4/straw/apply-alone.ts"), node.folder, JSON.stringify(plan)];
			const env = { ...process.env, ...node.straw.environment };
			const other = spawn(process.execPath, [...words, "0", key], { env, stdio: "inherit" });
			await eventually(() => expect(written().generation).toBe(2), 60);
			other.kill("SIGKILL");
			await once(other, "exit");
			engine = node.engine();
			await engine.recover([plan]);
			expect(await status({ engine: () => engine, plan }), "it serves on").toBe(200);
			expect(engine.signIn(plan)).toMatchObject({ keys: 0, current: false });
			upset(machine, {});
		},
		pid: async () => Number(readFileSync(at(`run/${unit}`), "utf8")),
		leave: () => writeFileSync(at("volumes/d1/gotosocial/storage/diary"), "In tune"),
		isThere: () => readFileSync(at("volumes/d1/gotosocial/storage/diary"), "utf8") === "In tune",
		drifts: {
			"its unit is stopped, and what it is started with is gone": () => {
				expect(written().customerKeys).toEqual([key]);
				expect(engine.signIn(plan)).toMatchObject({ keys: 1, current: true });
				spawnSync(at("bin/systemctl"), ["stop", "--", unit]);
				for (const name of [`units/${unit}`, "straw-d1-gotosocial.json", "web.json"]) rmSync(at(name));
			},
		},
		close: () => node.close(),
	};
}

/** As the gateway would ask. */
function asked(engine: Engine, plan: Plan, path: string): Promise<{ status: number; text: string }> {
	const host = plan.services[0]?.hosts[0] ?? "";
	const backend = engine.backend(host);
	if (backend?.kind !== "up") return Promise.resolve({ status: 503, text: backend?.kind ?? "" });
	const { port, host: machine = "127.0.0.1" } = backend;
	return new Promise((done, failed) =>
		get({ host: machine, port, path, headers: { host: `${host}:8080` }, agent: false }, async (answer) =>
			done({ status: answer.statusCode ?? 0, text: Buffer.concat(await answer.toArray()).toString() }),
		).on("error", failed),
	);
}

const body = async (engine: Engine, plan: Plan, path: string) => (await asked(engine, plan, path)).text;
const status = async ({ engine, plan }: Pick<Site, "engine" | "plan">) =>
	(await asked(engine(), plan, "/").catch(() => ({ status: 502 }))).status;
