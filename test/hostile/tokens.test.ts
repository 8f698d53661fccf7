/** Tokens and offers of a source that wants in where it may not. */
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Content } from "#protocol/migration/messages.ts";
import { parseToken, proofFor } from "#protocol/migration/token.ts";
import { Conversation } from "./conversation.ts";
import { type FakeNode, newKeys } from "./fake-node.ts";
import { type MovingIn, newDomain, offerOf, Town } from "./town.ts";

let town: Town;
let fake: FakeNode;
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
});
afterAll(() => town?.close());
afterEach(() => {
	town.ahead = 0;
});

const offer = (content: Content<"offer">) => ({ kind: "offer" as const, content });
const state = async ({ talk }: MovingIn) => (await town.moveIn(talk.sid)).state;
const b64 = (bytes: number) => randomBytes(bytes).toString("base64url");

describe("An offer is refused", () => {
	test("with a proof that was guessed, and the token is still good for who has it", async () => {
		const moving = await town.movingIn(fake);
		const guessed = { ...moving.offer, proof: b64(32) };
		expect(await moving.talk.say(offer(guessed))).toMatchObject({ code: "token-unknown" });
		expect(await state(moving)).toBe("waiting");
		expect(await moving.talk.say(offer(moving.offer))).toMatchObject({ status: 204 });
	});

	test("with a proof that another node made of the same token", async () => {
		const moving = await town.movingIn(fake);
		const thief = await town.stranger("thief");
		const talk = new Conversation(thief, "source", moving.talk.sid, town.origin);
		expect(await talk.say(offer(moving.offer))).toMatchObject({ code: "token-unknown" });
		expect(await state(moving)).toBe("waiting");
	});

	test("with a token that was revoked", async () => {
		const moving = await town.movingIn(fake);
		await town.person.api("DELETE /move-ins/{id}", { path: { id: moving.talk.sid } });
		expect(await moving.talk.say(offer(moving.offer))).toMatchObject({ code: "token-unknown" });
		expect(await state(moving)).toBe("revoked");
	});

	test("with a token of an hour ago", async () => {
		const moving = await town.movingIn(fake);
		town.ahead = 61 * 60_000;
		const later = async () => {
			const activity = await moving.talk.write(offer(moving.offer));
			return fake.send({ target: moving.talk.door, body: activity.text, now: Date.now() + town.ahead });
		};
		expect(await later()).toMatchObject({ code: "token-expired" });
	});

	test("with a token for another domain", async () => {
		const moving = await town.movingIn(fake);
		const domain = newDomain();
		await town.point(domain, fake.actor);
		expect(await moving.talk.say(offer(offerOf(fake, moving.token, domain)))).toMatchObject({
			code: "token-other-domain",
		});
		expect(await state(moving)).toBe("waiting");
	});

	test("with a token that there never was", async () => {
		const talk = new Conversation(fake, "source", b64(16), town.origin);
		const { offer: content } = await town.movingIn(fake);
		expect(await talk.say(offer(content))).toMatchObject({ code: "token-unknown" });
	});

	test("with a token that was used, be it by somebody who stole it: the first node stays the only one", async () => {
		const moving = await town.movedIn(fake);
		const thief = await town.stranger("thief");
		const talk = new Conversation(thief, "source", moving.talk.sid, town.origin);
		const content = offerOf(thief, moving.token, moving.domain);
		expect(await talk.say(offer(content))).toMatchObject({ code: "token-used" });
		const body = JSON.stringify({ offer: content });
		expect(await thief.send({ target: `${talk.door}/enquiry`, body })).toMatchObject({ code: "token-used" });
		expect(await town.moveIn(moving.talk.sid)).toMatchObject({ state: "moving", from: { origin: fake.origin } });
	});

	test("of two nodes that come with one token at once, one is taken and the other one hears so", async () => {
		const moving = await town.movingIn(fake);
		const thief = await town.stranger("thief");
		const talk = new Conversation(thief, "source", moving.talk.sid, town.origin);
		const answers = await Promise.all([
			moving.talk.say(offer(moving.offer)),
			talk.say(offer(offerOf(thief, moving.token, moving.domain))),
		]);
		expect(answers.map(({ status, code }) => code ?? status).sort()).toEqual([204, "token-used"]);
		expect((await town.moveIn(moving.talk.sid)).problem?.code).not.toBe("migration-broken");
	});

	test("a second time with something else in it: nothing more of that session is believed", async () => {
		const moving = await town.movedIn(fake);
		const { talk } = moving;
		talk.said.length = 0;
		const other = { ...moving.offer, customer: "Somebody else" };
		const said = await talk.write(offer(other), { heard: null });
		expect(await talk.post(said)).toMatchObject({ code: "migration-broken" });
		await talk.until("reject");
		expect(await town.stateOf(moving.domain)).toBeUndefined();
	});
});

describe("An offer is turned down, with the reason, ", () => {
	const refusal = async (moving: MovingIn, content: Content<"offer">) => {
		expect(await moving.talk.say(offer(content))).toMatchObject({ status: 204 });
		const { code } = await moving.talk.until("reject");
		expect(await state(moving)).toBe("refused");
		expect(await town.stateOf(moving.domain)).toBeUndefined();
		return code;
	};

	test("of a domain that another node serves", async () => {
		const moving = await town.movingIn(fake);
		await town.point(moving.domain, "https://victim.example/actor");
		expect(await refusal(moving, moving.offer)).toBe("domain-elsewhere");
	});

	test("of a domain that nobody serves", async () => {
		const moving = await town.movingIn(fake);
		const [value = ""] = await town.zone.look(`_fediversity.${moving.domain}`, "TXT");
		await town.zone.remove([{ type: "TXT", name: `_fediversity.${moving.domain}`, value, ttl: 60 }]);
		expect(await refusal(moving, moving.offer)).toBe("domain-elsewhere");
	});

	test("of a domain in another epoch than the DNS has", async () => {
		const moving = await town.movingIn(fake, { epoch: 4 });
		expect(await refusal(moving, { ...moving.offer, epoch: 3 })).toBe("domain-elsewhere");
	});

	test("of a service that there is not", async () => {
		const moving = await town.movingIn(fake);
		const [service] = moving.offer.services;
		const services = service ? [{ ...service, name: "../snac" }] : [];
		expect(await refusal(moving, { ...moving.offer, services })).toBe("service-unknown");
	});

	test("that says itself that it is too large", async () => {
		const moving = await town.movingIn(fake, { diskMiB: 1 });
		const [service] = moving.offer.services;
		const volumes = [{ name: "data", kind: "directory" as const, bytes: 2 ** 40 }];
		const services = service ? [{ ...service, volumes }] : [];
		expect(await refusal(moving, { ...moving.offer, services })).toBe("migration-too-large");
	});

	test("of a domain that is deployed here, in capital letters", async () => {
		const { domain } = await town.deployed();
		town.entitle();
		const { token } = await town.person.api("POST /move-ins", { body: {} });
		const { sid, secret } = parseToken(token, { insecure: true });
		const talk = new Conversation(fake, "source", sid, town.origin);
		const shouted = domain.toUpperCase();
		const proof = proofFor(secret, { sid, actor: fake.actor, domain: shouted });
		const content = { ...offerOf(fake, token, shouted), proof };
		expect(await talk.say(offer(content))).toMatchObject({ status: 204 });
		expect((await talk.until("reject")).code).toBe("domain-not-valid");
		expect(await town.serves(domain)).toBe(true);
	});
});

test.each(["../../etc", "--config=x", "ada\nadmin", "$(id)", ""])(
	"an owner called %j is not even read: names end up in configurations and command lines",
	async (username) => {
		const moving = await town.movingIn(fake);
		const written = await moving.talk.write(offer(moving.offer));
		const content = { ...moving.offer, owner: { ...moving.offer.owner, username } };
		const forged = await moving.talk.forged(written, { payload: () => ({ content }) });
		expect(await moving.talk.post(forged)).toMatchObject({ code: "activity-not-valid" });
		expect(await state(moving)).toBe("waiting");
	},
);

test("hosts that an offer names are not taken from it: services get those that this node gives", async () => {
	const moving = await town.movingIn(fake);
	const [service] = moving.offer.services;
	const services = service ? [{ ...service, hosts: ["honest.localhost", "www.victim.example"] }] : [];
	expect(await moving.talk.say(offer({ ...moving.offer, services }))).toMatchObject({ status: 204 });
	const { records } = await moving.talk.until("accept");
	expect(records.map(({ name }) => name).sort()).toEqual([`_fediversity.${moving.domain}`, `social.${moving.domain}`]);
});

test("the customer can say no to what came with a token for any domain, and nothing has happened", async () => {
	town.entitle();
	const domain = newDomain();
	await town.point(domain, fake.actor);
	const { token } = await town.person.api("POST /move-ins", { body: {} });
	const talk = new Conversation(fake, "source", parseToken(token, { insecure: true }).sid, town.origin);
	await talk.say(offer(offerOf(fake, token, domain)));
	expect(await town.moveIn(talk.sid)).toMatchObject({ state: "asked", words: expect.any(Array) });
	await town.person.api("POST /move-ins/{id}/refuse", { path: { id: talk.sid } });
	expect((await talk.until("reject")).code).toBe("declined");
	expect(await town.stateOf(domain)).toBeUndefined();
});

describe("A node that has got a new key since it was last asked", () => {
	test.each(["the id of the old one", "an id of its own"])(
		"is looked up anew, but not all the time; it has %s",
		async (id) => {
			const node = await town.stranger("renewed");
			const moving = await town.movingIn(node);
			const body = JSON.stringify({ offer: moving.offer });
			const enquire = () => node.send({ target: `${moving.talk.door}/enquiry`, body, now: Date.now() + town.ahead });
			const lookUps = () => node.asked.filter((one) => one === "GET /actor").length;
			expect(await enquire()).toMatchObject({ status: 200 });
			node.keys = newKeys(id === "the id of the old one" ? node.keys.keyid : `${node.actor}#newer`);
			expect(await enquire()).toMatchObject({ code: "signature-wrong" });
			expect(lookUps()).toBe(1);
			town.ahead = 16_000;
			expect(await enquire()).toMatchObject({ status: 200 });
			expect(lookUps()).toBe(2);
			node.keys = newKeys(`${node.actor}#never`);
			const actor = node.actorDocument();
			node.handlers.set("/actor", () => ({ body: actor, signer: null }));
			node.keys = newKeys(`${node.actor}#hidden`);
			expect(await enquire()).toMatchObject({ code: "signature-wrong" });
			expect(lookUps()).toBe(2);
		},
	);
});
