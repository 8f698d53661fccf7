/** Test equipment: kills somebody at one message of an engine's run, lets the next one go on, and looks at what there is. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Plan } from "../../../node/engines/engine.ts";
import { processTable } from "../../../node/engines/local/process-table.ts";
import type { Nixops4Engine } from "../../../node/engines/nixops4/nixops4-engine.ts";
import { serviceNamed } from "../../../node/services/catalogue.ts";
import { awaitMishap, type Victim } from "../mishap.ts";
import { secretsOn } from "./holdings.ts";
import { planFor, type StrawNode, Told } from "./node.ts";

/** With rows, objects and files. */
const service = "pixelfed";

/** What a run that nobody disturbs leaves in the state. */
export async function wholeState(node: StrawNode): Promise<object> {
	const plan = fresh();
	const engine = node.engine();
	try {
		await engine.apply(plan, new Told());
		return stateOf(node, plan);
	} finally {
		await ended(node, engine, plan);
	}
}

/** Answers whether the run came so far that somebody was killed. */
export async function engineKilledAt(
	node: StrawNode,
	victim: Victim,
	message: number,
	whole: object,
): Promise<boolean> {
	const plan = fresh();
	const why = `after ${victim} died at message ${message}`;
	const wasKilled =
		victim === "node" ? await nodeKilled(node, plan, message) : await otherKilled(node, plan, victim, message);
	const machine = machineOf(node);
	const secrets = existsSync(machine.at("state/secrets")) ? secretsOn(machine) : {};
	const engine = node.engine();
	try {
		await engine.recover([plan]);
		expect(await ours(node), why).toEqual([]);
		await engine.apply(plan, new Told());
		expect(stateOf(node, plan), why).toEqual(whole);
		expect(
			node.machines.all().map(({ deployment }) => deployment),
			why,
		).toEqual([plan.deployment]);
		const now = secretsOn(machine);
		expect(now, why).toMatchObject(secrets);
		expect(Object.keys(now), why).toEqual(
			serviceNamed(service)
				?.secrets.map((name) => `${service}/${name}`)
				.sort(),
		);
		for (const [name, value] of Object.entries(now))
			expect(await node.vault.get(`${plan.deployment}/${name}`), why).toBe(value);
		// Its database and its bucket, each once; those of deployments before have gone.
		expect(node.straw.rooms.volumes, why).toHaveLength(2);
		expect(
			(await engine.look(plan)).map(({ health }) => health),
			why,
		).toEqual(["well"]);
	} finally {
		await ended(node, engine, plan);
	}
	expect(readdirSync(join(node.folder, "state/nixops4/credentials")), why).toEqual([]);
	expect(await ours(node), why).toEqual([]);
	return wasKilled;
}

const machineOf = ({ straw }: StrawNode) => straw.machines[0] as (typeof straw.machines)[number];
let deployments = 0;
const fresh = () => planFor(`k${++deployments}`, [service]);

async function otherKilled(node: StrawNode, plan: Plan, victim: Victim, message: number): Promise<boolean> {
	const engine = node.engine();
	let wasKilled = false;
	const calm = awaitMishap(
		victim,
		message,
		() => `${node.nodeId}/${plan.deployment}/`,
		() => {
			wasKilled = true;
		},
	);
	const failure = await engine.apply(plan, new Told()).catch((error: unknown) => error);
	calm();
	expect(await ours(node), `${victim} died at message ${message}`).toEqual([]);
	await engine.close();
	if (failure) expect([failure, wasKilled]).toMatchObject([{ code: "nixops4-failed" }, true]);
	return wasKilled;
}

async function nodeKilled(node: StrawNode, plan: Plan, when: number): Promise<boolean> {
	const words = [join(import.meta.dirname, "apply-alone.ts"), node.folder, JSON.stringify(plan), String(when)];
	const child = spawn(process.execPath, words, {
		env: { ...process.env, ...node.straw.environment },
		stdio: "inherit",
	});
	const [code, signal] = await once(child, "exit");
	expect([
		[0, null],
		[null, "SIGKILL"],
	]).toContainEqual([code, signal]);
	return signal === "SIGKILL";
}

/** The next deployment's switch takes from the machine what this one has there. */
async function ended(node: StrawNode, engine: Nixops4Engine, { deployment }: Plan): Promise<void> {
	await engine.close();
	node.machines.release(deployment);
	rmSync(machineOf(node).at(`state/secrets/${deployment}`), { recursive: true, force: true });
}

async function ours({ nodeId }: StrawNode): Promise<number[]> {
	return (await processTable()).filter(({ unit }) => unit?.startsWith(`${nodeId}/`)).map(({ pid }) => pid);
}

/** But for whose it is and which run it was. */
function stateOf(node: StrawNode, { deployment }: Plan): object {
	const state = JSON.stringify(node.states.read(deployment)).replaceAll(deployment, "D");
	node.states.forget(deployment);
	return JSON.parse(state.replaceAll(/"generation":\d+/g, '"generation":0'));
}
