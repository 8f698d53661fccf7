import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, Poster, World } from "./world.ts";

let world: World;
beforeAll(async () => {
	world = await new World().open();
});
afterAll(() => world?.[Symbol.asyncDispose]());

async function settled(provider: "north" | "south", name: string, domain: string) {
	const person = await world.customer(provider, name);
	const { id, services } = await person.deploy(domain, ["snac"], name);
	const poster = await Poster.signIn(await person.credentials(id, "snac"));
	return { person, poster, handle: services[0]?.handle ?? "" };
}

test("an account at one provider follows one at the other, and a post arrives", async () => {
	const ada = await settled("north", "ada", "choir.localhost");
	const ben = await settled("south", "ben", "band.localhost");
	await ben.poster.follow(ada.handle);
	// The follow must have been accepted before a post is sent to the follower.
	let posts = 0;
	const arrived = await eventually("the post arrives", async () => {
		await ada.poster.post(`We sing on Tuesdays, ${++posts}`);
		const timeline = await ben.poster.timeline();
		return timeline.find(
			({ content, account }) => content.includes("We sing on Tuesdays") && account.acct.startsWith("ada@"),
		);
	});
	expect(arrived.account.acct).toBe(`ada@social.choir.localhost:${world.port}`);
});

test("the zone is the two providers' common truth: a domain that one serves the other refuses, and says who has it", async () => {
	const cleo = await world.customer("south", "cleo").catch(async () => {
		await world.end();
		await world.open();
		return world.customer("south", "cleo");
	});
	await expect(
		cleo.api("POST /deployments", { body: { domain: "choir.localhost", services: ["snac"] } }),
	).rejects.toMatchObject({ code: "domain-elsewhere", params: { holder: expect.stringContaining("north.localhost") } });
	expect((await cleo.api("GET /deployments")).items).toEqual([]);
});
