/** The two nodes of the small world know each other, show each other to customers, and do as their staff decides. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DemoState } from "../../node/demo/state.ts";
import { passwordOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person, type Provider, World } from "./world.ts";

const run = promisify(execFile);
const boot = join(import.meta.dirname, "../../node/boot.mjs");
const domain = "choir.localhost";

let world: World;
let ada: Person;
let adaThere: Person;
let deployment: string;
beforeAll(async () => {
	world = await new World().open();
	[ada, adaThere] = await Promise.all([world.customer("north", "ada"), world.customer("south", "ada")]);
	deployment = (await ada.deploy(domain, ["snac"], "ada")).id;
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** What the operators' command line prints. */
async function staff(provider: Provider, args: string): Promise<string> {
	const config = new DemoState(world.folder).configOf({ key: provider });
	const { stdout, stderr } = await run(process.execPath, [boot, ...args.split(" "), "--config", config]);
	return stdout + stderr;
}

const providers = async () => (await ada.api("GET /providers", { query: { deployment } })).items;

async function plan() {
	const { token } = await adaThere.api("POST /move-ins", { body: { domain } });
	return ada.api("POST /deployments/{id}/move-plan", { path: { id: deployment }, body: { token } });
}

test("a customer of North finds South, with what it offers, and that it can take the deployment", async () => {
	const [south] = await eventually("North knows South", async () => {
		const items = await providers();
		return items.length > 0 && items;
	});
	expect(south).toMatchObject({
		origin: world.panel("south"),
		name: "South",
		jurisdiction: "Austrian and EU law",
		fits: true,
	});
	expect(south?.services.map(({ name }) => name)).toContain("snac");
	expect((await ada.api("GET /providers")).items).toMatchObject([{ fits: null, why: null }]);
	await expect(adaThere.api("GET /providers", { query: { deployment } })).rejects.toMatchObject({ code: "not-found" });
});

test("everybody may read whom a node knows, its sheet, and that it speaks the protocol", async () => {
	const named = async () => (await reach(`${world.panel("south")}/migrate/peers`)).json();
	await eventually("South knows North", async () => JSON.stringify(await named()).includes("north.localhost"));
	const answer = await reach(`${world.panel("south")}/migrate/sheet`);
	expect(answer.headers.get("content-type")).toContain("application/activity+json");
	expect(await answer.json()).toMatchObject({ attributedTo: `${world.panel("south")}/actor` });
	const actor = await reach(`${world.panel("south")}/actor`, { headers: { accept: "application/activity+json" } });
	expect(JSON.stringify(await actor.json())).toContain("https://fediversity.eu/ns/migration/1");
});

test("whom a provider blocks it neither takes from nor sends to, until it thinks otherwise", async () => {
	expect((await plan()).problems).toEqual([]);
	expect(await staff("south", "peer list")).toContain("North");
	const north = world.panel("north");
	expect(await staff("south", `peer block ${north}`)).toContain("is blocked");
	await expect(plan()).rejects.toMatchObject({ code: "node-not-accepted" });
	expect((await adaThere.api("GET /providers")).items).toEqual([]);
	await staff("south", `peer unblock ${north}`);
	await staff("south", `peer limit ${north} --moves 1`);
	expect((await plan()).problems).toEqual([]);

	await staff("north", `peer block ${world.panel("south")}`);
	await expect(plan()).rejects.toMatchObject({ code: "node-blocked" });
	const { token } = await adaThere.api("POST /move-ins", { body: { domain } });
	const body = { token, domain, password: passwordOf("ada") };
	await expect(ada.api("POST /deployments/{id}/move", { path: { id: deployment }, body })).rejects.toMatchObject({
		code: "node-blocked",
	});
	expect(await providers()).toEqual([]);
	await staff("north", `peer unblock ${world.panel("south")}`);
	expect(await providers()).toMatchObject([{ fits: true }]);
});

test("staff adds a node, is shown its key, and doctor finds the nodes well", async () => {
	const south = world.panel("south");
	expect(await staff("north", `peer remove ${south}`)).toContain("is forgotten");
	expect(await providers()).toEqual([]);
	const told = await staff("north", `peer add ${south}`);
	expect(told).toContain("is known as South");
	expect(told).toMatch(/([0-9a-f]{4} ){7}[0-9a-f]{4}\n/);
	expect(await providers()).toMatchObject([{ name: "South", fits: true }]);
	expect(await staff("north", "doctor").catch(({ stdout }) => stdout)).toContain("1 other node is known and well");
	await expect(staff("north", "peer add http://nobody.localhost:1")).rejects.toMatchObject({
		stderr: expect.stringContaining("does not answer"),
	});
});
