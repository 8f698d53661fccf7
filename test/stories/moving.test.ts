/** Story 2 in the small world: a deployment with posts and followers moves from one provider to the other, and back. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyReceipt } from "#protocol/migration/receipt.ts";
import { reach } from "./reach.ts";
import { eventually, type Person, Poster, World } from "./world.ts";

let world: World;
beforeAll(async () => {
	world = await new World().open();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const domain = "choir.localhost";

/** The customer makes a token at one provider and pastes it at the other; answers both migrations when all is over. */
async function moved(from: Person, to: Person, password: string) {
	const { items } = await from.api("GET /deployments");
	const deployment = items.find((one) => one.domain === domain && one.state === "serving");
	if (!deployment) throw new Error("Nothing serves there");
	const { id, token } = await to.api("POST /move-ins", { body: { domain } });
	const plan = await from.api("POST /deployments/{id}/move-plan", { path: { id: deployment.id }, body: { token } });
	expect(plan.problems).toEqual([]);
	const { job } = await from.api("POST /deployments/{id}/move", {
		path: { id: deployment.id },
		body: { token, domain, password },
	});
	const left = await from.ended(job);
	const moveIn = await eventually("the deployment moves in", async () => {
		const seen = await to.api("GET /move-ins/{id}", { path: { id } });
		return seen.job === null ? undefined : seen;
	});
	const arrived = await to.ended(moveIn.job ?? "");
	return { id, plan, left, arrived, moveIn };
}

test("a snac with posts and a follower moves there and back, and the follower gets every post", async () => {
	const ada = await world.customer("north", "ada");
	const ben = await world.customer("south", "ben");
	const choir = await ada.deploy(domain, ["snac"], "ada");
	const band = await ben.deploy("band.localhost", ["snac"], "ben");
	const adasPassword = await ada.credentials(choir.id, "snac");
	const singer = await Poster.signIn(adasPassword);
	const listener = await Poster.signIn(await ben.credentials(band.id, "snac"));
	await listener.follow(choir.services[0]?.handle ?? "");
	await eventually("the follower gets a post", async () => {
		await singer.post("Before the move");
		return (await listener.timeline()).some(({ content }) => content.includes("Before the move"));
	});
	const picture = randomBytes(700_000);
	const address = await singer.show("The score", picture);
	const shown = async () => Buffer.from(await (await reach(address)).arrayBuffer()).equals(picture);
	expect(await shown()).toBe(true);
	await world.end();
	await world.open();
	const adaThere = await world.customer("south", "ada");

	const { id, left, arrived, plan, moveIn } = await moved(ada, adaThere, "ada has a long password");
	expect([left.state, arrived.state]).toEqual(["done", "done"]);
	expect(moveIn.words).toEqual(plan.words);
	const states = async (person: Person) =>
		(await person.api("GET /deployments")).items.filter((one) => one.domain === domain).map(({ state }) => state);
	expect([await states(ada), await states(adaThere)]).toEqual([["moved"], ["serving"]]);

	// The same address, the same token in the app, the same follower.
	await eventually("the follower gets the next post", async () => {
		await singer.post("After the move");
		return (await listener.timeline()).some(({ content }) => content.includes("After the move"));
	});
	await Poster.signIn(adasPassword);
	expect(await shown()).toBe(true);

	// Home again: a new token there, and what was kept needs no second journey.
	const { left: leftAgain, arrived: home, id: way } = await moved(adaThere, ada, "ada has a long password");
	expect([leftAgain.state, home.state]).toEqual(["done", "done"]);
	await eventually("the follower gets a post from home", async () => {
		await singer.post("Home again");
		return (await listener.timeline()).some(({ content }) => content.includes("Home again"));
	});
	await eventually("only what serves is left", async () => {
		const all = [...(await states(ada)), ...(await states(adaThere))];
		return all.toSorted().join() === "moved,serving" && (await states(ada)).includes("serving");
	});
	expect(await shown()).toBe(true);
	const bytes = async (migration: string) => {
		const { rounds } = await ada.api("GET /migrations/{id}", { path: { id: migration } });
		return rounds[0]?.moved ?? 0;
	};
	expect(await bytes(way)).toBeLessThan((await bytes(id)) / 5);

	const receipts = [
		await ada.api("GET /migrations/{id}/receipt", { path: { id } }),
		await adaThere.api("GET /migrations/{id}/receipt", { path: { id } }),
	];
	expect(receipts[0]).toEqual(receipts[1]);
	expect(await verifyReceipt(receipts[0])).toMatchObject({ ok: true, summary: { outcome: "moved" } });
}, 480_000);
