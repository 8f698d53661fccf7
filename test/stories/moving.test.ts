/** Story 2 in the small world: a deployment with posts and followers moves from one provider to the other, and back. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyReceipt } from "#protocol/migration/receipt.ts";
import { beginMove, bothEnded, passwordOf, statesOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person, Poster, World } from "./world.ts";

let world: World;
beforeAll(async () => {
	world = await new World().open();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const domain = "choir.localhost";

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

	const there = await beginMove(ada, adaThere, domain, passwordOf("ada"));
	expect(await bothEnded(there, ada, adaThere)).toEqual(["done", "done"]);
	const states = (person: Person) => statesOf(person, domain);
	expect([await states(ada), await states(adaThere)]).toEqual([["moved"], ["serving"]]);

	// The same address, the same token in the app, the same follower.
	await eventually("the follower gets the next post", async () => {
		await singer.post("After the move");
		return (await listener.timeline()).some(({ content }) => content.includes("After the move"));
	});
	await Poster.signIn(adasPassword);
	expect(await shown()).toBe(true);

	// Home again: a new token there, and what was kept needs no second journey.
	const back = await beginMove(adaThere, ada, domain, passwordOf("ada"));
	expect(await bothEnded(back, adaThere, ada)).toEqual(["done", "done"]);
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
	expect(await bytes(back.id)).toBeLessThan((await bytes(there.id)) / 5);

	const receipts = [
		await ada.api("GET /migrations/{id}/receipt", { path: { id: there.id } }),
		await adaThere.api("GET /migrations/{id}/receipt", { path: { id: there.id } }),
	];
	expect(receipts[0]).toEqual(receipts[1]);
	expect(await verifyReceipt(receipts[0])).toMatchObject({ ok: true, summary: { outcome: "moved" } });
}, 480_000);
