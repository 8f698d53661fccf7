import { afterAll, beforeAll, expect, test } from "vitest";
import { reach } from "./reach.ts";
import { eventually, type Person, Poster, World } from "./world.ts";

/** Story 1, told once from the voucher to the empty shelf, with real services. */
let world: World;
let ada: Person;
let deployment = "";
let password = "";
const at = (path: string, host = "social") => `http://${host}.choir.localhost:${world.port}${path}`;
const shown = () => ada.api("GET /deployments/{id}", { path: { id: deployment } });

beforeAll(async () => {
	world = await new World().open();
	ada = await world.customer("north", "ada");
});
afterAll(() => world?.[Symbol.asyncDispose]());

test("the catalogue says what this node can run, and why not the rest", async () => {
	const { items } = await ada.api("GET /services");
	const card = (name: string) => items.find((one) => one.name === name);
	expect(card("snac")).toMatchObject({ canRun: true, why: null });
	expect(card("wiki")).toMatchObject({ canRun: true });
	for (const name of ["mastodon", "peertube", "pixelfed"])
		expect(card(name)).toMatchObject({ canRun: false, whyCode: "needs-engine", missing: "NixOps4" });
	await expect(
		ada.api("POST /deployments", { body: { domain: "choir.localhost", services: ["mastodon", "garage"] } }),
	).rejects.toMatchObject({ code: "service-unavailable" });
	expect((await ada.api("GET /deployments")).items).toEqual([]);
});

test("one click deploys snac and the wiki, and a reader who comes back sees every step once more", async () => {
	const { managed } = await ada.api("POST /domains", { body: { domain: "choir.localhost" } });
	expect(managed).toBe(true);
	const accepted = await ada.api("POST /deployments", {
		body: { domain: "choir.localhost", services: ["snac", "wiki"], username: "ada" },
	});
	deployment = accepted.deployment;

	const first: number[] = [];
	for await (const { id } of ada.events(accepted.job)) if (first.push(id) === 3) break;
	const job = await ada.ended(accepted.job);
	expect(job).toMatchObject({ state: "done", canCancel: false });
	expect(job.steps.map(({ state }) => state)).toEqual(job.steps.map(() => "done"));

	const rest: { id: number; step: string | undefined; state: string }[] = [];
	for await (const { id, data } of ada.events(accepted.job, first.at(-1))) {
		const { step, state } = data as { step?: string; state: string };
		rest.push({ id, step, state });
	}
	expect(Math.min(...rest.map(({ id }) => id))).toBeGreaterThan(Math.max(...first));
	const done = rest.filter(({ step, state }) => step && state === "done").map(({ step }) => step);
	expect(new Set(done)).toContain("check:wiki");
	expect(rest.at(-1)).toMatchObject({ step: undefined, state: "done" });
});

test("the records are set, the services answer under the domain, and their health is a look at themselves", async () => {
	const { ready, records } = await ada.api("GET /domains/{domain}/records", {
		path: { domain: "choir.localhost" },
		query: { services: "snac,wiki" },
	});
	expect(ready).toBe(true);
	expect(records.map(({ type, name, state }) => `${type} ${name} ${state}`)).toEqual([
		"TXT _fediversity.choir.localhost right",
		"CNAME social.choir.localhost right",
		"CNAME wiki.choir.localhost right",
	]);
	expect((await reach(at("/", "wiki"))).status).toBe(200);
	const handle = `acct:ada@social.choir.localhost:${world.port}`;
	const finger = await reach(at(`/.well-known/webfinger?resource=${handle}`));
	expect(await finger.json()).toMatchObject({ subject: handle });
	const { services } = await eventually("both services are seen well", async () => {
		const view = await shown();
		return view.services.every(({ health }) => health === "well") && view;
	});
	expect(services.flatMap(({ probes }) => probes).every(({ ok }) => ok)).toBe(true);
	expect(services.every(({ sizeBytes }) => (sizeBytes ?? 0) > 0)).toBe(true);
});

test("a notice is in the panel and in the mailbox", async () => {
	const { items } = await ada.api("GET /notices");
	expect(items).toMatchObject([{ kind: "deploy-done", params: { domain: "choir.localhost" }, read: false }]);
	const page = await eventually("the mail has arrived", async () => {
		const text = await (await reach(`http://mail.localhost:${world.port}/`)).text();
		return text.includes("choir.localhost") && text;
	});
	expect(page).toContain("ada@north.example");
});

test("the credentials are shown once, and they work", async () => {
	const shownOnce = await ada.credentials(deployment, "snac");
	password = shownOnce.password;
	await expect(ada.credentials(deployment, "snac")).rejects.toMatchObject({ code: "credentials-shown" });
	const poster = await Poster.signIn(shownOnce);
	await poster.post("We sing on Tuesdays");
	expect(await (await reach(at("/ada"))).text()).toContain("We sing on Tuesdays");
});

test("setting up again, asked for twice with one key, is one job, and keeps everything", async () => {
	const call = { path: { id: deployment }, idempotencyKey: "once" };
	const asked = [
		await ada.api("POST /deployments/{id}/repair", call),
		await ada.api("POST /deployments/{id}/repair", call),
	];
	expect(new Set(asked.map(({ job }) => job)).size).toBe(1);
	const job = await ada.ended(asked[0]?.job ?? "");
	expect(job).toMatchObject({ kind: "repair", state: "done" });
	expect(job.steps.map(({ step }) => step)).toEqual(expect.arrayContaining(["mend:snac", "mend:wiki", "records"]));
	expect(await (await reach(at("/ada"))).text()).toContain("We sing on Tuesdays");
	expect((await shown()).unwellSince).toBeNull();
});

test("a restart keeps everything, and a new password replaces the old", async () => {
	const restarted = await ada.api("POST /deployments/{id}/restart", {
		path: { id: deployment },
		body: { service: "snac" },
	});
	expect((await ada.ended(restarted.job)).state).toBe("done");
	const path = { id: deployment, service: "snac" };
	const set = await ada.api("PUT /deployments/{id}/services/{service}/credentials", {
		path,
		body: { password: "a new and longer password" },
	});
	expect((await ada.ended(set.job)).state).toBe("done");
	const address = at("").replace(/\/$/, "");
	await expect(Poster.signIn({ address, username: "ada", password })).rejects.toThrow();
	await Poster.signIn({ address, username: "ada", password: "a new and longer password" });
	expect(await (await reach(at("/ada"))).text()).toContain("We sing on Tuesdays");
});

test("nobody else sees or touches any of it", async () => {
	await world.end();
	await world.open();
	const eve = await world.customer("north", "eve");
	const path = { id: deployment };
	for (const attempt of [
		() => eve.api("GET /deployments/{id}", { path }),
		() => eve.api("GET /deployments/{id}/history", { path }),
		() => eve.api("POST /deployments/{id}/restart", { path, body: {} }),
		() => eve.api("POST /deployments/{id}/repair", { path }),
		() => eve.api("POST /deployments/{id}/remove", { path, body: { domain: "choir.localhost" } }),
		() => eve.credentials(deployment, "snac"),
	])
		await expect(attempt()).rejects.toMatchObject({ code: "not-found" });
	await expect(
		eve.api("POST /deployments", { body: { domain: "choir.localhost", services: ["snac"] } }),
	).rejects.toMatchObject({ code: "domain-taken" });
});

test("removed, it is kept and can come back; erased, nothing is left and the domain is free", async () => {
	const path = { id: deployment };
	const remove = () => ada.api("POST /deployments/{id}/remove", { path, body: { domain: "choir.localhost" } });
	expect((await ada.ended((await remove()).job)).state).toBe("done");
	const gone = await reach(at("/ada"));
	expect(gone.status).toBe(503);
	expect(Number(gone.headers.get("retry-after"))).toBeGreaterThan(0);
	expect((await shown()).state).toBe("kept");

	expect((await ada.ended((await ada.api("POST /deployments/{id}/restore", { path })).job)).state).toBe("done");
	expect(await (await reach(at("/ada"))).text()).toContain("We sing on Tuesdays");

	await ada.ended((await remove()).job);
	const erase = await ada.api("POST /deployments/{id}/erase", { path, body: { domain: "choir.localhost" } });
	expect((await ada.ended(erase.job)).state).toBe("done");
	expect((await reach(at("/ada"))).status).toBe(421);
	expect((await ada.api("GET /deployments")).items).toEqual([]);
	expect((await world.processes()).filter(({ unit }) => unit.includes(deployment))).toEqual([]);
	const { records } = await ada.api("GET /domains/{domain}/records", {
		path: { domain: "choir.localhost" },
		query: { services: "snac" },
	});
	expect(records.map(({ state }) => state)).toEqual(["missing", "missing"]);
	const history = await ada.api("GET /deployments/{id}/history", { path });
	expect(history.items[0]).toMatchObject({ kind: "erase-done" });
	expect((await ada.deploy("choir.localhost", ["snac"])).state).toBe("serving");
});
