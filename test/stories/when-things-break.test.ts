import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reach } from "./reach.ts";
import { eventually, type Person, World } from "./world.ts";

let world: World;
let ada: Person;
beforeAll(async () => {
	world = await new World().open();
	ada = await world.customer("north", "ada");
});
afterAll(() => world?.[Symbol.asyncDispose]());

const alive = (pid: number) => {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
};

describe.each([
	["everything, services too", true],
	["the supervisor and both nodes, while the services live on", false],
])("kill -9 of %s", (_what, services) => {
	test.each(["get:snac", "configure:snac", "start:snac", "account:snac", "check:snac"])(
		"as %s begins: the next start finishes the deployment, once",
		async (step) => {
			const domain = `${step.replace(":", "-")}-${services}.localhost`.replace("true", "all").replace("false", "nodes");
			const { deployment, job } = await ada.api("POST /deployments", {
				body: { domain, services: ["snac"], username: "ada" },
			});
			for await (const { event, data } of ada.events(job))
				if (event === "step" && (data as { step: string }).step === step) break;
			await world.kill({ services });
			await world.open();

			const ended = await ada.ended(job);
			expect(ended.state).toBe("done");
			const address = `http://social.${domain}:${world.port}/ada`;
			// A deployment that had ended just before the kill has its services started after the node is open again.
			await eventually("it serves", async () => (await reach(address)).status === 200);
			const units = (await world.processes()).filter(({ unit }) => unit.endsWith(`${deployment}/snac`));
			expect(units.length).toBeGreaterThan(0);

			const path = { id: deployment };
			await ada.ended((await ada.api("POST /deployments/{id}/remove", { path, body: { domain } })).job);
			await ada.ended((await ada.api("POST /deployments/{id}/erase", { path, body: { domain } })).job);
			expect((await world.processes()).filter(({ unit }) => unit.includes(deployment))).toEqual([]);
		},
	);
});

test("a service that lived on through kill -9 of its node is taken over, not started again; Ctrl-C then leaves nothing", async () => {
	const { id } = await ada.deploy("choir.localhost", ["snac"], "ada");
	const before = (await world.processes()).filter(({ unit }) => unit.includes(id)).map(({ pid }) => pid);
	await world.kill({ services: false });
	expect(before.every(alive)).toBe(true);
	await world.open();
	await eventually(
		"the service is served again",
		async () => (await reach(`http://social.choir.localhost:${world.port}/ada`)).ok,
	);
	const after = (await world.processes()).filter(({ unit }) => unit.includes(id)).map(({ pid }) => pid);
	expect(after).toEqual(before);

	await world.end();
	expect(await world.processes()).toEqual([]);
	await world.open();
});

test("kill -9 while a removed deployment comes back, when its service runs already: it serves", async () => {
	const path = { id: (await ada.api("GET /deployments", {})).items[0]?.id ?? "" };
	await ada.ended((await ada.api("POST /deployments/{id}/remove", { path, body: { domain: "choir.localhost" } })).job);
	const { job } = await ada.api("POST /deployments/{id}/restore", { path });
	for await (const { event, data } of ada.events(job))
		if (event === "step" && (data as { step: string }).step === "check:snac") break;
	await world.kill({ services: false });
	await world.open();
	expect((await ada.ended(job)).state).toBe("done");
	await eventually("it serves", async () => (await reach(`http://social.choir.localhost:${world.port}/ada`)).ok);
});

test("a service that is killed comes back by itself, and meanwhile visitors are told to wait", async () => {
	const address = `http://social.choir.localhost:${world.port}/ada`;
	const running = async () => (await world.processes()).filter(({ unit }) => unit.endsWith("/snac"));
	const killed = (await running()).map(({ pid }) => pid);
	for (const pid of killed) process.kill(pid, "SIGKILL");
	const seen = new Map<number, string | null>();
	await eventually("it serves again", async () => {
		const { status, headers } = await reach(address);
		seen.set(status, headers.get("retry-after"));
		const pids = (await running()).map(({ pid }) => pid);
		return status === 200 && pids.length > 0 && !pids.some((pid) => killed.includes(pid));
	});
	// It may be back between two looks; whoever came meanwhile was asked to come again.
	seen.delete(200);
	expect([...seen.keys()].every((status) => [502, 503].includes(status))).toBe(true);
	expect([...seen.values()]).not.toContain(null);
});

test("cancelling in the middle leaves nothing, and the domain and the voucher are free again", async () => {
	await world.end();
	await world.open();
	const bob = await world.customer("north", "bob");
	const { deployment, job } = await bob.api("POST /deployments", {
		body: { domain: "brass.localhost", services: ["snac"] },
	});
	await bob.api("POST /jobs/{id}/cancel", { path: { id: job } });
	expect((await bob.ended(job)).state).toBe("undone");
	expect((await world.processes()).filter(({ unit }) => unit.includes(deployment))).toEqual([]);
	expect((await reach(`http://social.brass.localhost:${world.port}/`)).status).toBe(421);
	expect((await bob.deploy("brass.localhost", ["snac"])).state).toBe("serving");
});
