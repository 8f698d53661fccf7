/** The NixOps4 engine: the stand-in for nixops4, our real root and provider, real ssh, and machines of straw. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { emptyState } from "#protocol/nixops4/state.ts";
import type { Plan } from "../../node/engines/engine.ts";
import { processTable } from "../../node/engines/local/process-table.ts";
import type { Nixops4Engine } from "../../node/engines/nixops4/nixops4-engine.ts";
import { serviceNamed } from "../../node/services/catalogue.ts";
import { hasSshd } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { hasPostgres } from "../postgres.ts";
import { eventually } from "../stories/world.ts";
import { everyProcess, filesWith, Lookout } from "./leaks.ts";
import { awaitMishap } from "./mishap.ts";
import { planFor, StrawNode, Told } from "./straw/node.ts";
import { upset } from "./straw/straw.ts";

const canRun = (await nix()) !== null && hasSshd && hasPostgres;

describe.skipIf(!canRun)("the NixOps4 engine (needs Nix, sshd and PostgreSQL)", { timeout: 400_000 }, () => {
	let node: StrawNode;
	let engine: Nixops4Engine;
	let deployment = 0;

	beforeAll(async () => {
		node = await StrawNode.open(1);
	}, 60_000);
	afterAll(() => node?.close());
	afterEach(async () => {
		await engine.close();
		upset(node.straw.machines[0] as never, {});
		// The next deployment's switch takes from the machine what this one has there.
		for (const { deployment } of node.machines.all()) if (deployment) node.machines.release(deployment);
		expect(await ours(), "nothing is left running").toEqual([]);
	});

	const fresh = (...services: string[]) => planFor(`d${++deployment}`, services);
	const ours = async () =>
		(await processTable()).filter(({ unit }) => unit?.startsWith(`${node.nodeId}/`)).map(({ pid }) => pid);
	const runs = (plan: Plan) => {
		const file = join(node.work(plan.deployment), "standing.json");
		return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).generation : 0;
	};
	const page = async (
		plan: Plan,
		path = "/",
		init: { method?: string; headers?: Record<string, string>; body?: string } = {},
	) => {
		const host = plan.services[0]?.hosts[0] ?? "";
		const backend = engine.backend(host);
		if (backend?.kind !== "up") return `${backend?.kind}`;
		const headers = { ...init.headers, host };
		return answerOf({ ...backend, path, method: init.method ?? "GET", headers }, init.body ?? "");
	};
	const note = async (plan: Plan, words: string, password: string) => {
		const authorization = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
		return (
			await page(plan, "/notes", { method: "POST", headers: { authorization }, body: JSON.stringify({ words }) })
		).slice(0, 3);
	};
	const password = async ({ deployment, services }: Plan) =>
		(await node.vault.get(`${deployment}/${services[0]?.name}/password`)) ?? "";

	test("makes a plan true, lets it rest and wake without a run, changes a password, and takes all of it away", async () => {
		engine = node.engine();
		const plan = fresh("pixelfed");
		const told = new Told();
		await engine.apply(plan, told);
		expect(await page(plan)).toBe("200 straw pixelfed with 0 notes");
		expect(told.lines.join("\n")).toContain("switched to");
		expect(Math.max(...told.fractions.map((one) => one ?? 0))).toBeGreaterThan(0.5);
		expect(await note(plan, "In tune", await password(plan))).toBe("201");
		const seen = await engine.look(plan);
		expect(seen.map(({ service, health }) => [service, health])).toEqual([["pixelfed", "well"]]);

		await engine.apply(plan, new Told());
		expect(runs(plan)).toBe(1);

		for (const mode of ["frozen", "stopped"] as const) {
			await engine.apply({ ...plan, mode }, new Told());
			expect(await page(plan)).toBe(mode);
			expect((await engine.look(plan)).map(({ health }) => health)).toEqual(["stopped"]);
			// What a node knew before it was killed, it knows again.
			await engine.close();
			engine = node.engine();
			await engine.recover([{ ...plan, mode }]);
			expect(await page(plan)).toBe(mode);
			await engine.apply(plan, new Told());
			expect(await page(plan, "/notes")).toMatch(/^200 .*"words":"In tune","kept":\["In tune","In tune"\]/);
		}

		const before = await password(plan);
		await node.vault.put(`${plan.deployment}/pixelfed/password`, "another-long-password");
		await engine.setPassword(plan, "pixelfed", new Told());
		expect(await note(plan, "with the old one", before)).toBe("401");
		expect(await note(plan, "with the new one", "another-long-password")).toBe("201");
		await engine.restart(plan, "pixelfed", new Told());
		await eventually("it serves again", async () => (await page(plan)) === "200 straw pixelfed with 2 notes");
		expect(runs(plan)).toBe(1);

		const machine = node.straw.machines[0];
		const secrets = machine?.at("state/secrets") ?? "";
		expect(readdirSync(join(secrets, plan.deployment)).sort()).toEqual(["pixelfed"]);
		expect(node.straw.rooms.volumes).toHaveLength(2);
		for (let twice = 0; twice < 2; twice++) await engine.apply({ ...plan, mode: "absent" }, new Told());
		expect(existsSync(join(secrets, plan.deployment))).toBe(false);
		expect(readdirSync(machine?.at(`state/frozen/${plan.deployment}`) ?? "")).toEqual([]);
		expect(JSON.parse(readFileSync(machine?.at("agent.json") ?? "", "utf8")).services).toEqual({});
		expect(node.straw.rooms.volumes).toEqual([]);
		expect(node.machines.of(plan.deployment)).toBeUndefined();
		expect(node.states.read(plan.deployment)).toEqual(emptyState);
		expect(existsSync(node.work(plan.deployment))).toBe(false);
		expect(await page(plan)).toBe("undefined");
	});

	test("says in plain words why a run has failed, with the raw log behind, no service's secret anywhere, and goes on when it is mended", async () => {
		engine = node.engine();
		const plan = fresh("galene", "mastodon", "peertube", "pixelfed", "garage");
		const machine = node.straw.machines[0] as never;
		upset(machine, { broken: "error: builder for galene.drv failed" });
		const told = new Told();
		const lookout = new Lookout();
		await expect(engine.apply(plan, told)).rejects.toMatchObject({
			code: "nixops4-failed",
			message: expect.stringContaining("its NixOS could not be built"),
		});
		expect(told.lines.join("\n")).toContain("builder for galene.drv failed");
		expect(told.lines.join("\n")).toMatch(
			/nixops4 error: Failed to create stateless resource system.switch: Local resource process failed/,
		);
		upset(machine, {});
		await engine.apply(plan, told);
		const names = plan.services.flatMap(({ name }) =>
			(serviceNamed(name)?.secrets ?? []).map((secret) => `${plan.deployment}/${name}/${secret}`),
		);
		const secrets = (await Promise.all(names.map((name) => node.vault.get(name)))).map((secret) => secret ?? "");
		for (const secret of secrets) expect(secret.length).toBeGreaterThan(15);
		const written = [...told.lines, JSON.stringify(node.states.history(plan.deployment))];
		expect(written.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
		expect(lookout.with(secrets)).toEqual([]);
		expect(
			[node.folder, ...node.straw.machines.map(({ folder }) => folder)].flatMap((one) => filesWith(one, secrets)),
		).toEqual([]);
		expect(await page(plan)).toBe("200 straw galene with 0 notes");
	});

	test("is not held up by a nixops4 that is killed, talks without end, or takes too long", async () => {
		const plan = fresh("galene");
		engine = node.engine({ STAND_IN_FLOOD: String(2 ** 20) });
		const told = new Told();
		const calm = awaitMishap("nixops4", 4, () => `${node.nodeId}/`);
		await expect(engine.apply(plan, told)).rejects.toMatchObject({ code: "nixops4-failed" });
		calm();
		expect(told.lines.length).toBeLessThan(2300);
		expect(await ours()).toEqual([]);
		await engine.close();

		upset(node.straw.machines[0] as never, { slow: 15_000 });
		engine = node.engine({}, 0.1);
		await expect(engine.apply(plan, new Told())).rejects.toMatchObject({ code: "took-too-long" });
		expect(await ours()).toEqual([]);
		upset(node.straw.machines[0] as never, {});
		await engine.close();

		engine = node.engine();
		await engine.apply(plan, new Told());
		expect(await page(plan)).toBe("200 straw galene with 0 notes");
	});

	test("ends what a killed node has left behind, and goes on", async () => {
		const plan = fresh("galene");
		upset(node.straw.machines[0] as never, { slow: 100_000 });
		const alone = join(import.meta.dirname, "straw/apply-alone.ts");
		const env = { ...process.env, ...node.straw.environment };
		const child = spawn(process.execPath, [alone, node.folder, JSON.stringify(plan)], { env, stdio: "inherit" });
		await eventually("it is on the machine", async () =>
			everyProcess().some((line) => line.includes("reach.ts") && line.includes(`=${node.nodeId}/`)),
		);
		child.kill("SIGKILL");
		await once(child, "exit");
		expect((await ours()).length).toBeGreaterThan(0);
		engine = node.engine();
		await engine.recover([plan]);
		expect(await ours()).toEqual([]);
		expect(await page(plan)).toBe("starting");
		upset(node.straw.machines[0] as never, {});
		await engine.apply(plan, new Told());
		expect(await page(plan)).toBe("200 straw galene with 0 notes");
	});

	test("gets a machine ready that nothing runs on, and wakes what has come there with its own secrets, without a run", async () => {
		engine = node.engine({ STAND_IN_FLOOD: String(2 ** 20) });
		const plan = fresh("gotosocial");
		await engine.prepare(plan, new Told());
		expect(await page(plan)).toBe("stopped");
		expect((await engine.look(plan)).flatMap(({ probes }) => probes)).toMatchObject([{ detail: "inactive" }]);
		expect((await engine.places(plan)).map(({ place }) => place)).toMatchObject([
			{ kind: "remote", of: "sqlite", machine: "straw-1", volume: "database" },
			{ kind: "remote", of: "directory", machine: "straw-1", volume: "storage" },
		]);
		await node.vault.put(`${plan.deployment}/gotosocial/password`, "as it was at home");
		await engine.adopt(plan);
		await engine.apply(plan, new Told());
		await eventually("the owner is let in", async () => (await note(plan, "At home", "as it was at home")) === "201");
		expect(runs(plan)).toBe(1);
	});

	test("lets only one of two deployments have the last machine", async () => {
		engine = node.engine();
		const plans = [fresh("galene"), fresh("galene")];
		const ends = await Promise.allSettled(plans.map((plan) => engine.apply(plan, new Told())));
		expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
		const [lost] = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
		expect(lost).toMatchObject({ code: "machines-full", message: expect.stringContaining("ask it to add one") });
		const loser = plans[ends.findIndex(({ status }) => status === "rejected")] as Plan;
		await engine.apply({ ...loser, mode: "absent" }, new Told());
		expect(existsSync(node.work(loser.deployment))).toBe(false);
	});

	test("knows what it cannot run, and what is missing", async () => {
		engine = node.engine({ PATH: "/nonexistent", _NIXOPS4_EVAL: undefined as never });
		const galene = serviceNamed("galene") as never;
		expect(await engine.can(galene)).toMatchObject({ can: false, code: "needs-program", missing: "nix" });
		expect(await engine.can(serviceNamed("snac") as never)).toMatchObject({ can: false, code: "needs-engine" });
	});
});

async function answerOf(asked: RequestOptions, body: string): Promise<string> {
	const [answer] = (await once(request(asked).end(body), "response")) as [IncomingMessage];
	return `${answer.statusCode} ${Buffer.concat(await answer.toArray())}`;
}
