/** A freeze that is to last for ever: nobody can keep services from their users by letting them wait. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Content } from "#protocol/migration/messages.ts";
import { eventually } from "../stories/world.ts";
import type { FakeNode } from "./fake-node.ts";
import { type MovingOut, Town } from "./town.ts";
import { activeFor, agreed, announceOf, copied, frozen, moveOf, voteFor } from "./walks.ts";

type Manifest = Content<"manifest">;

let town: Town;
let fake: FakeNode;
let choir: { domain: string; deployment: string };
/** Long enough for a target that votes; where services are to rest no longer, their customer says so. */
const freezeSeconds = 12;
beforeAll(async () => {
	town = await Town.open({ FEDIVERSITY_MIGRATIONS_FREEZE_SECONDS: `${freezeSeconds}` });
	fake = await town.stranger();
	fake.handlers.set("/", () => ({ body: "served there", signer: null }));
	choir = await town.deployed();
});
afterAll(() => town?.close());

const serves = ({ domain }: MovingOut) => eventually("it serves again", () => town.serves(domain));
const rounds = ({ talk }: MovingOut) => talk.heard.filter(({ kind }) => kind === "manifest").length;

/** The customer wants services to serve again. */
async function thawed({ talk }: MovingOut): Promise<void> {
	await town.person.api("POST /migrations/{id}/thaw", { path: { id: talk.sid } });
	await talk.until("thaw");
}

/** Lets the time pass for which services serve before they rest again. */
const later = () => {
	town.ahead += (freezeSeconds + 1) * 1000;
};

/** As a target: the next round, and then the next final manifest. */
async function frozenAgain(moving: MovingOut) {
	const manifest = await moving.talk.until("manifest", rounds(moving) + 1);
	expect(manifest.final).toBe(false);
	expect(await moving.talk.say({ kind: "announce", content: announceOf(manifest) })).toMatchObject({ status: 204 });
	const final = await moving.talk.until("manifest", rounds(moving) + 1);
	expect(final.final).toBe(true);
	return final;
}

test("services serve again before the target has voted; what it votes for then counts no more", async () => {
	const moving = await town.movingOut(fake, choir);
	const void_ = await frozen(moving);
	expect((await town.visit(choir.domain)).status).toBe(503);
	await thawed(moving);
	await serves(moving);
	expect((await town.job(moving.job)).state).toBe("running");
	expect(await moving.talk.say(voteFor(void_))).toMatchObject({ status: 204 });
	later();
	const final = await frozenAgain(moving);
	expect(await moving.talk.say(voteFor(void_))).toMatchObject({ status: 204 });
	expect(await moving.talk.say(voteFor(final))).toMatchObject({ status: 204 });
	const move = await moving.talk.until("move");
	expect(move.manifest).not.toBe(voteFor(void_).content.manifest);
	expect(moving.talk.heard.map(({ kind }) => kind)).toEqual([
		...["offer", "manifest", "manifest", "thaw", "manifest", "manifest", "move"],
	]);
	await moving.talk.say({ kind: "reject", content: { code: "cancelled", params: {}, detail: "no" } });
	expect((await town.ended(moving.job)).state).toBe("undone");
	await serves(moving);
});

test("a target that never votes: services rest three times at most, then the move is called off", async () => {
	const hasty = await Town.open({ FEDIVERSITY_MIGRATIONS_FREEZE_SECONDS: "2" });
	try {
		const moving = await hasty.movingOut(await hasty.stranger(), await hasty.deployed());
		const { talk, job, domain } = moving;
		await agreed(moving);
		// A rest may be over before the final manifest was said. Each other one is answered, and none is voted for.
		for (let answered = 0; !talk.heard.some(({ kind }) => kind === "withdraw"); ) {
			const { content } = talk.heard.filter(({ kind }) => kind === "manifest")[answered] ?? {};
			if (content) answered++;
			else await new Promise((resolve) => setTimeout(resolve, 20));
			if (content && !(content as Manifest).final)
				await talk.say({ kind: "announce", content: announceOf(content as Manifest) });
		}
		expect(await hasty.ended(job)).toEqual({ state: "undone", problems: ["freeze-too-long"] });
		await eventually("it serves again", () => hasty.serves(domain));
		expect(talk.heard.filter(({ kind }) => kind === "thaw").length).toBeLessThan(3);
	} finally {
		await hasty.close();
	}
});

test("a target that is silent after a thaw: nobody rests for it again, and the customer can end it", async () => {
	const moving = await town.movingOut(fake, choir);
	await frozen(moving);
	await thawed(moving);
	later();
	await moving.talk.until("manifest", 3);
	await serves(moving);
	await town.person.api("POST /jobs/{id}/cancel", { path: { id: moving.job } });
	expect((await town.ended(moving.job)).state).toBe("undone");
	expect(moving.talk.heard.filter(({ kind }) => kind === "manifest")).toHaveLength(3);
	await serves(moving);
});

test("a source that thaws while the target fetches: what it fetched for is void, and the next one counts", async () => {
	const moving = await town.movedIn(fake);
	const { talk, bag } = moving;
	await copied(moving);
	bag.lines.push(JSON.stringify(bag.entry("zzz", "new", { mode: 0o644 })));
	talk.on("GET", "/listings", () => "never");
	const final = bag.manifest(2, true);
	expect(await talk.say({ kind: "manifest", content: final })).toMatchObject({ status: 204 });
	const asked = () => fake.asked.filter((one) => one.startsWith(`GET /migrate/${talk.sid}/listings`)).length;
	const before = asked();
	await eventually("it asks", async () => asked() > 0 && before >= 0);
	const { manifest } = voteFor(final).content;
	expect(await talk.say({ kind: "thaw", content: { manifest, reason: "" } })).toMatchObject({ status: 204 });
	bag.serve(talk);
	bag.lines.pop();
	expect(await talk.say({ kind: "manifest", content: bag.manifest(3, false) })).toMatchObject({ status: 204 });
	await eventually("it has the round", async () => talk.last("announce")?.round === 3);
	expect(await talk.say({ kind: "manifest", content: bag.manifest(4, true) })).toMatchObject({ status: 204 });
	const vote = await talk.until("vote");
	expect(vote.manifest).toBe(voteFor(bag.manifest(4, true)).content.manifest);
	expect(await talk.say(await moveOf(moving, vote.manifest))).toMatchObject({ status: 204 });
	await talk.until("active");
	expect(await town.serves(moving.domain)).toBe(true);
});

test("killed and started between the rests, it goes on where it was: serving, and then once more", async () => {
	const moving = await town.movingOut(fake, choir);
	await frozen(moving);
	await thawed(moving);
	await town.restart();
	await serves(moving);
	later();
	expect(await moving.talk.say(voteFor(await frozenAgain(moving)))).toMatchObject({ status: 204 });
	const move = await moving.talk.until("move");
	expect((await moving.talk.say(activeFor(move))).status).toBe(204);
	expect((await town.ended(moving.job)).state).toBe("done");
	expect(await town.visit(choir.domain)).toEqual({ status: 200, text: "served there" });
});
