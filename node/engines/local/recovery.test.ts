/** What the next life of a node does with what the last one left, after kill -9 and after an orderly end. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test, vi } from "vitest";
import { tiny } from "../../../test/contracts/tiny/tiny.ts";
import { TinyNode } from "../../../test/contracts/tiny/tiny-node.ts";
import { ask, engineIn, eventually, listening, planFor, running } from "../../../test/contracts/tiny/world.ts";

vi.setConfig({ testTimeout: 60_000 });

const node = new TinyNode();
const child = join(import.meta.dirname, "../../../test/contracts/tiny/node-child.ts");

describe("after the node was killed", () => {
	async function killedNode(...how: string[]): Promise<void> {
		const life = spawn(process.execPath, [child, node.folder, node.nodeId, "tiny", ...how], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		for await (const line of createInterface({ input: life.stdout })) if (line === "ready") break;
		if (how.includes("hang")) await eventually(async () => expect(await running(node.nodeId)).toHaveLength(1));
		life.kill("SIGKILL");
		await once(life, "exit");
	}

	test("its services live on, and the next node takes over the same processes", async () => {
		await killedNode();
		const before = await node.leaders();
		expect(before).toHaveLength(1);
		const engine = node.engine();
		await engine.recover([planFor("tiny")]);
		await eventually(async () => expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 1 at"));
		expect(await node.leaders()).toEqual(before);
		await engine.apply(planFor("tiny"), listening());
		expect(await node.leaders()).toEqual(before);
	});

	test("one that was taken over is brought back when it dies, and ended when it should be", async () => {
		await killedNode();
		const engine = node.engine({ patience: { look: 20, first: 20 } });
		await engine.recover([planFor("tiny")]);
		const [before = Number.NaN] = await node.leaders();
		process.kill(before, "SIGKILL");
		await eventually(async () => expect(await ask(engine, planFor("tiny"), "/")).toContain("tiny 2 at"));
		await engine.apply(planFor("tiny", "stopped"), listening());
		expect(await running(node.nodeId)).toEqual([]);
	});

	test("what no plan wants is ended, its state stays", async () => {
		await killedNode();
		expect(await node.leaders()).toHaveLength(1);
		const engine = node.engine();
		await engine.recover([]);
		expect(await running(node.nodeId)).toEqual([]);
		expect(existsSync(join(node.folder, "services/dep-choir/tiny/state/count"))).toBe(true);
	});

	test.each(["frozen", "stopped"] as const)("what should be %s is ended", async (mode) => {
		await killedNode();
		const engine = node.engine();
		await engine.recover([planFor("tiny", mode)]);
		expect(await running(node.nodeId)).toEqual([]);
		expect(engine.backend("social.choir.localhost")).toMatchObject({ kind: mode });
	});

	test("what should run in another way is started anew", async () => {
		await killedNode();
		const before = await node.leaders();
		const recipe = tiny();
		const changed = tiny("tiny", "good", { command: (home) => ({ ...recipe.command(home), env: { NEW: "yes" } }) });
		const engine = node.engine({ recipes: [changed] });
		await engine.recover([planFor("tiny")]);
		await eventually(async () => expect(await ask(engine, planFor("tiny"), "/environment")).toContain('"NEW":"yes"'));
		expect(await node.leaders()).not.toEqual(before);
	});

	test("programs that were to run for a moment only are ended too", async () => {
		await killedNode("hang");
		expect(await running(node.nodeId)).toHaveLength(1);
		await node.engine().recover([]);
		expect(await running(node.nodeId)).toEqual([]);
	});

	test("another node's services are left alone", async () => {
		await killedNode();
		const before = await node.leaders();
		const other = engineIn(node.folder, { nodeId: `${node.nodeId}-b`, recipes: [tiny()] });
		await other.recover([]);
		await other.close();
		expect(await node.leaders()).toEqual(before);
		await node.engine().recover([]);
	});

	test("a service whose state is missing is not made anew without anybody asking", async () => {
		const club = planFor("tiny", "serving", "club");
		const first = node.engine();
		await first.apply(club, listening());
		await first.close();
		const engine = node.engine();
		await engine.recover([planFor("tiny"), club]);
		await eventually(async () => expect(await ask(engine, club, "/")).toContain("tiny 2 at"));
		expect(existsSync(join(node.folder, "services/dep-choir"))).toBe(false);
		expect(await engine.look(planFor("tiny"))).toMatchObject([{ health: "stopped" }]);
	});
});

describe("a service that cannot start when the node does", () => {
	test("does not keep the others from starting, and is not lost", async () => {
		const engine = node.engine();
		for (const name of ["choir", "club"]) await engine.apply(planFor("tiny", "serving", name), listening());
		await engine.close();
		const settings = join(node.folder, "services/dep-choir/tiny/state/settings.json");
		execFileSync("rm", [settings]);
		mkdirSync(settings);
		const next = node.engine();
		await next.recover([planFor("tiny"), planFor("tiny", "serving", "club")]);
		const club = planFor("tiny", "serving", "club");
		await eventually(async () => expect(await ask(next, club, "/")).toContain("social.club.localhost"));
		expect(next.backend("social.choir.localhost")).toMatchObject({ kind: "starting" });
		expect(await next.look(planFor("tiny"))).toMatchObject([{ health: "stopped" }]);
	});
});

test("a service for which there is no recipe any more does not keep the others down", async () => {
	const engine = node.engine();
	await engine.apply(planFor("tiny"), listening());
	await engine.close();
	const next = node.engine();
	await next.recover([planFor("unheard-of", "serving", "club"), planFor("tiny")]);
	await eventually(async () => expect(await ask(next, planFor("tiny"), "/")).toContain("tiny 2 at"));
	expect(next.backend("social.club.localhost")).toBeUndefined();
});
