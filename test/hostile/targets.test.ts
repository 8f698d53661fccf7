/** A target that lies to an honest source, or falls silent: what serves goes on, or serves again, and never twice. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digest } from "#protocol/migration/canonical.ts";
import type { Content } from "#protocol/migration/messages.ts";
import { eventually } from "../stories/world.ts";
import type { FakeNode } from "./fake-node.ts";
import { acceptOf, type MovingOut, Town } from "./town.ts";
import { activeFor, agreed, announceOf, committed, frozen, voteFor } from "./walks.ts";

let town: Town;
let fake: FakeNode;
/** One deployment for all the lies that lead back to where it was: that it can be moved again is what each leaves behind. */
let choir: { domain: string; deployment: string };
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
	choir = await town.deployed();
});
afterAll(() => town?.close());

const strange = "A".repeat(43);
const begin = () => town.movingOut(fake, choir);
const reject = { kind: "reject" as const, content: { code: "cancelled", params: {}, detail: "We changed our mind" } };
const cancel = ({ job }: MovingOut) => town.person.api("POST /jobs/{id}/cancel", { path: { id: job } });

/** The move is undone, and everything is as before. */
async function servesAgain({ job, domain }: MovingOut): Promise<string[]> {
	const { state, problems } = await town.ended(job);
	expect([state, await town.stateOf(domain), await town.serves(domain)]).toEqual(["undone", "serving", true]);
	return problems;
}

describe("What a target accepts is refused", () => {
	type Accept = Content<"accept">;
	const cases: [name: string, records: (domain: string) => Accept["records"]][] = [
		[
			"with an address for a name of somebody else",
			() => [{ type: "A", name: "www.victim.localhost", value: "192.0.2.1", ttl: 60 }],
		],
		[
			"with an address for the source's own panel",
			() => [{ type: "CNAME", name: "honest.localhost", value: "x.example", ttl: 60 }],
		],
		["with an address for the domain itself", (domain) => [{ type: "A", name: domain, value: "192.0.2.1", ttl: 60 }]],
		[
			"with a challenge for a certificate",
			(domain) => [{ type: "TXT", name: `_acme-challenge.${domain}`, value: "x", ttl: 60 }],
		],
		[
			"with a challenge for a certificate of a host",
			(domain) => [{ type: "TXT", name: `_acme-challenge.social.${domain}`, value: "x", ttl: 60 }],
		],
		["with a text at a host", (domain) => [{ type: "TXT", name: `social.${domain}`, value: "x", ttl: 60 }]],
		[
			"with another node as who serves",
			(domain) => [
				{ type: "TXT", name: `_fediversity.${domain}`, value: "e=2; a=https://x.example/actor; c=x", ttl: 60 },
			],
		],
		[
			"with a later epoch than the next",
			(domain) => [{ type: "TXT", name: `_fediversity.${domain}`, value: `e=9; a=${fake.actor}; c=x`, ttl: 60 }],
		],
		[
			"with somebody else's ownership record",
			() => [{ type: "TXT", name: "_fediversity.victim.localhost", value: `e=2; a=${fake.actor}; c=x`, ttl: 60 }],
		],
	];
	test("for records that are none of its business; then it may still accept as it must", async () => {
		const moving = await begin();
		for (const [name, records] of cases) {
			const content = acceptOf(moving, { records: records(moving.domain) });
			expect(await moving.talk.say({ kind: "accept", content }), name).toMatchObject({ code: "message-wrong" });
		}
		await agreed(moving);
		await cancel(moving);
		await servesAgain(moving);
	});
});

describe("Out of turn", () => {
	test("nothing serves there and nothing stops here: no active, no vote, no announcement counts that does not fit", async () => {
		const moving = await begin();
		const { talk } = moving;
		const active = activeFor({ manifest: strange, epoch: 2, secrets: "" });
		expect(await talk.say(active)).toMatchObject({ code: "message-wrong" });
		const manifest = await agreed(moving);
		expect(await talk.say(active)).toMatchObject({ code: "message-wrong" });
		expect(await talk.say({ kind: "announce", content: { ...announceOf(manifest), round: 5 } })).toMatchObject({
			code: "message-wrong",
		});
		// Legal, but overtaken: taken and forgotten.
		expect(await talk.say(voteFor(manifest))).toMatchObject({ status: 204 });
		expect(
			await talk.say({ kind: "announce", content: { ...announceOf(manifest), manifest: strange, rehearsal: null } }),
		).toMatchObject({ status: 204 });
		expect(await town.serves(moving.domain)).toBe(true);
		expect(talk.heard.map(({ kind }) => kind)).toEqual(["offer", "manifest"]);
		await cancel(moving);
		await servesAgain(moving);
	});

	test("a vote for another manifest hands nothing over", async () => {
		const moving = await begin();
		const final = await frozen(moving);
		const { talk } = moving;
		const vote = { kind: "vote" as const, content: { manifest: strange, entries: 1, bytes: 1 } };
		expect(await talk.say(vote)).toMatchObject({ status: 204 });
		expect(await talk.say(activeFor({ manifest: digest(final), epoch: 2, secrets: "" }))).toMatchObject({
			code: "message-wrong",
		});
		expect(talk.last("move")).toBeUndefined();
		expect((await town.visit(moving.domain)).status).toBe(503);
		await cancel(moving);
		await servesAgain(moving);
	});
});

test("a target that refuses after the hand-over has refused for good: services serve here again, and nowhere else", async () => {
	const moving = await begin();
	const move = await committed(moving);
	expect((await town.visit(moving.domain)).status).toBe(503);
	expect(await moving.talk.say(reject)).toMatchObject({ status: 204 });
	expect(await servesAgain(moving)).toContain("migration-refused");
	expect(await moving.talk.say(activeFor(move))).toMatchObject({ code: "message-wrong" });
	expect([await town.stateOf(moving.domain), await town.serves(moving.domain)]).toEqual(["serving", true]);
});

describe("Two things said in one place of the chain", () => {
	const another = async (moving: MovingOut, content: Content<"announce">) => {
		const { talk } = moving;
		const one = await talk.write({ kind: "announce", content });
		const two = await talk.write({ kind: "announce", content: { ...content, bytes: 99 } });
		expect(await talk.post(one)).toMatchObject({ status: 204 });
		talk.said.push(one);
		return two;
	};

	test("stop the session before the hand-over, and services serve again at once", async () => {
		const moving = await begin();
		const manifest = await agreed(moving);
		const two = await another(moving, announceOf(manifest));
		await moving.talk.until("manifest", 2);
		expect(await moving.talk.post(two)).toMatchObject({ code: "migration-broken" });
		expect(await servesAgain(moving)).toContain("migration-broken");
		expect(moving.talk.last("move")).toBeUndefined();
	});

	test("after it do not bring services back by themselves; the target's refusal still does", async () => {
		const moving = await begin();
		const manifest = await agreed(moving);
		const two = await another(moving, announceOf(manifest));
		await moving.talk.say(voteFor(await moving.talk.until("manifest", 2)));
		await moving.talk.until("move");
		expect(await moving.talk.post(two)).toMatchObject({ code: "migration-broken" });
		expect((await town.visit(moving.domain)).status).toBe(503);
		expect(await moving.talk.say(reject)).toMatchObject({ status: 204 });
		await servesAgain(moving);
	});
});

describe("When the target falls silent, the customer can end it, and services serve:", () => {
	const points: [name: string, walk: (moving: MovingOut) => Promise<unknown>][] = [
		["after the offer", async () => {}],
		["after it has accepted", agreed],
		["while services rest", frozen],
	];
	test.each(points)("%s", async (_name, walk) => {
		const moving = await begin();
		await walk(moving);
		moving.talk.on("POST", "", () => "never");
		await cancel(moving);
		await servesAgain(moving);
	});

	test("but not once it has been handed over: then only the target's word brings them back", async () => {
		const moving = await begin();
		await committed(moving);
		await expect(cancel(moving)).rejects.toMatchObject({ code: "job-not-cancellable" });
		expect((await town.visit(moving.domain)).status).toBe(503);
		await moving.talk.say(reject);
		await servesAgain(moving);
	});
});

test("the customer can have services back at once, while they rest and only then; the move goes on", async () => {
	const moving = await begin();
	const thaw = () => town.person.api("POST /migrations/{id}/thaw", { path: { id: moving.talk.sid } });
	await expect(thaw()).rejects.toMatchObject({ code: "message-wrong" });
	await frozen(moving);
	expect((await thaw()).frozenAt).not.toBeNull();
	expect((await moving.talk.until("thaw")).reason).toBe("Cancelled");
	await eventually("it serves", () => town.serves(moving.domain));
	expect((await town.job(moving.job)).state).toBe("running");
	await expect(thaw()).rejects.toMatchObject({ code: "message-wrong" });
	await moving.talk.say(reject);
	await servesAgain(moving);
});

test("a refusal and a withdrawal that cross end the session on both sides", async () => {
	const moving = await begin();
	await agreed(moving);
	const crossing = await moving.talk.write(reject);
	await cancel(moving);
	await moving.talk.until("withdraw");
	expect(await moving.talk.post(crossing)).toMatchObject({ status: 204 });
	await servesAgain(moving);
});

describe("What a target answers when it is asked for its terms", () => {
	const plan = async (reply: Parameters<MovingOut["talk"]["on"]>[2]) => {
		const { newToken, printToken } = await import("#protocol/migration/token.ts");
		const token = newToken(fake.origin, fake.keys.key);
		fake.handlers.set(`POST /migrate/${token.sid}/enquiry`, reply);
		const path = { id: choir.deployment };
		return town.person.api("POST /deployments/{id}/move-plan", { path, body: { token: printToken(token) } });
	};
	test.each([
		["is a problem of ours that it has no say in", { status: 401, body: { code: "not-signed-in" } }, "node-unfit"],
		["is a problem that nobody knows", { status: 418, body: { code: "teapot" } }, "node-unfit"],
		["makes no sense", { body: { ok: "yes" } }, "node-unfit"],
		["has members nobody knows", { body: { ok: true, run: "sh" } }, "node-unfit"],
		["is not signed", { body: {}, signer: null }, "node-unfit"],
		["is too much", { body: `"${"x".repeat(300_000)}"` }, "node-unfit"],
		["is that it does not know the token", { status: 404, body: { code: "token-unknown" } }, "token-unknown"],
	])("%s: the customer reads what to do", async (_name, reply, code) => {
		await expect(plan(() => reply)).rejects.toMatchObject({ code });
	});

	test("is shown as a sentence of ours, never as a page of theirs", async () => {
		const body = { code: "token-expired", params: { date: "x".repeat(5000) }, detail: "Call this number" };
		const error = await plan(() => ({ status: 410, body })).catch((caught: unknown) => caught);
		expect(JSON.stringify(error) + String(error)).not.toMatch(/Call this number|x{400}/);
	});
});

test("a target that only says that it serves: the move does not end", async () => {
	fake.handlers.set("/", () => ({ status: 500, body: "there", signer: null }));
	const moving = await begin();
	await moving.talk.say(activeFor(await committed(moving)));
	await eventually("it looks there", async () => {
		const { steps } = await town.job(moving.job);
		return steps.find(({ verb }) => verb === "serve")?.problem?.code === "service-not-ready";
	});
	expect(await town.stateOf(moving.domain)).toBe("moved");
	expect((await town.job(moving.job)).state).toBe("running");
	expect((await town.visit(moving.domain)).text).toBe("there");
});
