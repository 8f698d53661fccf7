/** GoToSocial and Prosody picked in the panel of a whole node, used with what it hands over, killed with it, and erased. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reach } from "../stories/reach.ts";
import { eventually, type Person, World } from "../stories/world.ts";
import { App } from "./app.ts";
import { canRun } from "./site.ts";

const can = (await Promise.all(["gotosocial", "prosody"].map(canRun))).every(Boolean);
const services = ["gotosocial", "prosody"];

describe.skipIf(!can)("a whole node (needs Go to build GoToSocial, or GoToSocial on the search path)", () => {
	let world: World;
	let ada: Person;
	let deployment = "";
	let deployed = "";
	let post = "";
	let email = "";
	const path = () => ({ id: deployment });
	const origin = (label: string) => `http://${label}.choir.localhost:${world.port}`;
	const door = {
		fetch: (at: string, init: RequestInit = {}) => reach(origin("social") + at, { redirect: "manual", ...init }),
	};
	const seen = async () => (await door.fetch(post)).text();
	const wellAgain = () =>
		eventually("all services are seen well", async () => {
			const view = await ada.api("GET /deployments/{id}", { path: path() });
			return view.services.every(({ health }) => health === "well");
		});

	beforeAll(async () => {
		world = await new World().open();
		ada = await world.customer("north", "ada");
	});
	afterAll(() => world?.[Symbol.asyncDispose]());

	test("what is on this machine can be picked, and one click deploys it", async () => {
		const { items } = await ada.api("GET /services");
		for (const name of services) expect(items.find((card) => card.name === name)).toMatchObject({ canRun: true });
		await ada.api("POST /domains", { body: { domain: "choir.localhost" } });
		const body = { domain: "choir.localhost", services, username: "ada" };
		const accepted = await ada.api("POST /deployments", { body });
		({ deployment, job: deployed } = accepted);
		expect(await ada.ended(deployed)).toMatchObject({ state: "done" });
	});

	test("the raw log tells what was done", async () => {
		const { lines } = await ada.api("GET /jobs/{id}/log", { path: { id: deployed }, query: { after: 0 } });
		const texts = lines.map(({ line }) => line);
		for (const line of ["The program gotosocial is here", "The account ada is there", "page: opens"])
			expect(texts).toContain(line);
		expect(texts.find((text) => /^It runs as process \d+, listening on port \d+/.test(text))).toBeDefined();
		expect(texts.filter((text) => text.startsWith("api: gotosocial"))).toHaveLength(1);
	});

	test("the credentials handed over let one in, and what one posts is there for all", async () => {
		const shown = await ada.credentials(deployment, "gotosocial");
		expect(shown).toMatchObject({ username: "ada@north.example", address: origin("social") });
		expect(await ada.credentials(deployment, "prosody")).toMatchObject({ username: "ada@chat.choir.localhost" });
		email = shown.username;
		const app = await App.signIn(door, email, shown.password);
		const made = await app.call("POST", "/api/v1/statuses", { status: "We sing on Tuesdays", visibility: "public" });
		post = new URL((made as { url: string }).url).pathname;
		expect(await seen()).toContain("We sing on Tuesdays");
		expect(await (await reach(`${origin("chat")}/`)).text()).toContain("@chat.choir.localhost");
	});

	test("another password set in the panel is the only one from then on", async () => {
		const { job } = await ada.api("PUT /deployments/{id}/services/{service}/credentials", {
			path: { ...path(), service: "gotosocial" },
			body: { password: "a new and longer password" },
		});
		expect(await ada.ended(job)).toMatchObject({ state: "done" });
		await App.signIn(door, email, "a new and longer password");
		await expect(App.signIn(door, email, "an old password of hers")).rejects.toThrow("not let in");
	});

	test("killed with everything else, it is there again after the next start", async () => {
		await world.kill({ services: true });
		await world.open();
		await wellAgain();
		expect(await seen()).toContain("We sing on Tuesdays");
		await App.signIn(door, email, "a new and longer password");
	});

	test("removed and erased, nothing of it is left", async () => {
		const body = { domain: "choir.localhost" };
		for (const step of ["remove", "erase"] as const) {
			const { job } = await ada.api(`POST /deployments/{id}/${step}`, { path: path(), body });
			expect(await ada.ended(job)).toMatchObject({ state: "done" });
		}
		expect((await world.processes()).filter(({ unit }) => unit.includes(deployment))).toEqual([]);
		expect((await door.fetch(post)).status).toBe(421);
	});
});
