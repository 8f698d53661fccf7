/** The power goes while a deployment moves: at every step of both sides, of one node or of everything. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { beginMove, bothEnded, passwordOf, statesOf } from "./moving.ts";
import { reach } from "./reach.ts";
import { eventually, type Person, Poster, type Provider, World } from "./world.ts";

const domain = "choir.localhost";
let world: World;
let people: Record<Provider, Person>;
let at: Provider = "north";
let singer: Poster;
let posts = 0;

beforeAll(async () => {
	world = await new World().open();
	people = { north: await world.customer("north", "ada"), south: await world.customer("south", "ada") };
	const { id } = await people.north.deploy(domain, ["snac"], "ada");
	singer = await Poster.signIn(await people.north.credentials(id, "snac"));
}, 120_000);
afterAll(() => world?.[Symbol.asyncDispose]());

const address = () => `http://social.${domain}:${world.port}/ada`;
const other = (provider: Provider): Provider => (provider === "north" ? "south" : "north");

/** Posts, begins a move, and does something as a step begins; then all must be over, everything there, and served once. */
async function movedThrough(side: "leave" | "arrive", step: string, harm: (provider: Provider) => Promise<void>) {
	const [from, to] = [at, other(at)];
	await eventually("it takes a post", () => singer.post(`Post ${++posts}`));
	const begun = await beginMove(people[from], people[to], domain, passwordOf("ada"));
	const watched = side === "leave" ? people[from] : people[to];
	for await (const { event, data } of watched.events(begun[side]))
		if (event === "step" && (data as { step: string }).step === step) break;
	await harm(side === "leave" ? from : to);
	expect(await bothEnded(begun, people[from], people[to])).toEqual(["done", "done"]);
	at = to;
	await eventually("it serves there", async () => {
		const page = await (await reach(address())).text();
		return page.includes(`Post ${posts}`) && page.includes("Post 1<");
	});
	const states = [...(await statesOf(people.north, domain)), ...(await statesOf(people.south, domain))];
	expect(states.filter((state) => state === "serving")).toEqual(["serving"]);
	expect(await statesOf(people[to], domain)).toContain("serving");
}

describe("kill -9 of everything, both nodes and all services", () => {
	test.each(["agree", "copy", "rehearse", "freeze", "rest", "verify", "handOver", "domain", "serve"])(
		"as the old provider begins to %s",
		(step) =>
			movedThrough("leave", step, async () => {
				await world.kill({ services: true });
				await world.open();
			}),
		180_000,
	);
});

describe("kill -9 of the new provider's node", () => {
	test.each(["copy", "rest", "verify", "takeOver", "domain", "start", "serve"])(
		"as it begins to %s",
		(step) => movedThrough("arrive", step, (provider) => world.killNode(provider)),
		180_000,
	);
});

test("kill -9 of the old provider's node, again and again through the whole move", async () => {
	const [from, to] = [at, other(at)];
	const begun = await beginMove(people[from], people[to], domain, passwordOf("ada"));
	for (let n = 0; n < 3; n++) {
		await world.killNode(from);
		await eventually("it is back", async () => (await reach(`${world.panel(from)}/healthz`)).ok);
	}
	expect(await bothEnded(begun, people[from], people[to])).toEqual(["done", "done"]);
	at = to;
	await eventually("it serves there", async () => (await reach(address())).ok);
}, 180_000);

test("called off while everything is copied, all is as before, and nothing is left at the new provider", async () => {
	const [from, to] = [at, other(at)];
	const before = (await statesOf(people[to], domain)).toSorted();
	const begun = await beginMove(people[from], people[to], domain, passwordOf("ada"));
	await people[from].api("POST /jobs/{id}/cancel", { path: { id: begun.leave } });
	expect(await bothEnded(begun, people[from], people[to])).toEqual(["undone", "undone"]);
	expect(await statesOf(people[from], domain)).toContain("serving");
	expect((await statesOf(people[to], domain)).toSorted()).toEqual(before);
	expect((await reach(address())).status).toBe(200);
	await singer.post("Still here");
}, 180_000);
