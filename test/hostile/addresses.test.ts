/** Addresses that a pasted token leads to: a customer of the old provider may try to reach what only the node can. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newToken, printToken } from "#protocol/migration/token.ts";
import { type FakeNode, newKeys } from "./fake-node.ts";
import { Town } from "./town.ts";

let town: Town;
let fake: FakeNode;
let deployment: string;
/** Something on this machine that nobody outside may reach. */
const inside = createServer((socket) => socket.on("error", () => {}).destroy());
let reached = 0;
beforeAll(async () => {
	inside.on("connection", () => reached++).listen(0, "127.0.0.1");
	await once(inside, "listening");
	town = await Town.open();
	fake = await town.stranger();
	deployment = (await town.deployed()).deployment;
});
afterAll(async () => {
	await town?.close();
	inside.close();
});

const { key } = newKeys("x");
const paste = async (origin: string, thumb = key, at = town, id = deployment) => {
	const token = printToken(newToken(origin, thumb));
	const caught = await at.person
		.api("POST /deployments/{id}/move-plan", { path: { id }, body: { token } })
		.catch((error: unknown) => error as { code: string; message: string });
	return { code: (caught as { code: string }).code, text: JSON.stringify(caught) + String(caught) };
};

describe("A node on the internet asks nobody", () => {
	let real: { town: Town; deployment: string };
	beforeAll(async () => {
		const open = await Town.open({ FEDIVERSITY_DEMO_MAILBOX: "" });
		real = { town: open, deployment: (await open.deployed()).deployment };
	});
	afterAll(() => real?.town.close());
	const port = () => (inside.address() as AddressInfo).port;
	test.each([
		...["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"],
		...["[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
		...[
			"localhost",
			"localhost.",
			"metadata.internal",
			"honest.localhost",
			"router",
			"printer.local",
			"2130706433",
			"0x7f.1",
			"127.1",
			"0177.0.0.1",
		],
	])("at %s", async (host) => {
		const { code } = await paste(`https://${host}:${port()}`, key, real.town, real.deployment);
		// Whoever spells an address in another way than it is written has no token that holds together.
		expect(["node-address", "token-damaged"]).toContain(code);
		expect(reached).toBe(0);
	});

	test("without TLS", async () => {
		expect((await paste("http://south.example", key, real.town, real.deployment)).code).toBe("token-insecure");
	});
});

describe("What answers at a token's address is not shown to whoever pasted it, and not believed,", () => {
	const secret = "the root password is swordfish";
	const actor = (reply: Parameters<FakeNode["handlers"]["set"]>[1]) => fake.handlers.set("/actor", reply);
	const cases: [name: string, reply: () => Parameters<FakeNode["handlers"]["set"]>[1], code: string][] = [
		[
			"when it leads elsewhere",
			() => () => ({
				status: 302,
				headers: { location: `http://127.0.0.1:${(inside.address() as AddressInfo).port}/` },
				signer: null,
			}),
			"node-unfit",
		],
		["when it is a page", () => () => ({ body: `<p>${secret}</p>`, signer: null }), "node-unfit"],
		["when it is an error", () => () => ({ status: 500, body: secret, signer: null }), "node-unfit"],
		["when it is endless", () => () => ({ body: `{"x":"${secret.repeat(400_000)}"}`, signer: null }), "node-unfit"],
		[
			"when it is the actor of somebody else",
			() => () => ({ body: { ...fake.actorDocument(), id: "https://victim.example/actor", secret }, signer: null }),
			"node-unfit",
		],
		[
			"when its key is somebody else's",
			() => () => ({
				body: {
					...fake.actorDocument(),
					assertionMethod: [
						{
							id: "https://victim.example/actor#multikey-2",
							type: "Multikey",
							controller: "https://victim.example/actor",
							publicKeyMultibase: key,
						},
					],
				},
				signer: null,
			}),
			"node-unfit",
		],
		["when its key is not the token's", () => () => ({ body: fake.actorDocument(), signer: null }), "node-unfit"],
		["when it says nothing", () => () => "never", "node-silent"],
		[
			"when it says a byte now and then",
			() => () => ({
				stream: (async function* () {
					for (;;) {
						yield Buffer.from(" ");
						await new Promise((resolve) => setTimeout(resolve, 500).unref());
					}
				})(),
				signer: null,
			}),
			"node-silent",
		],
	];
	test.each(cases)("%s", async (_name, reply, code) => {
		actor(reply());
		const answer = await paste(fake.origin);
		expect(answer.code).toBe(code);
		expect(answer.text).not.toContain("swordfish");
		expect(reached).toBe(0);
	});
});

test("an offer's key that is said to lie elsewhere is looked up there only, and shows nothing", async () => {
	actorAgain();
	const { talk, offer } = await town.movingIn(fake);
	const { text } = await talk.write({ kind: "offer", content: offer });
	const victim = await town.stranger("victim");
	victim.handlers.set("/actor", () => ({ body: "swordfish", signer: null }));
	const signer = newKeys(`${victim.actor}#multikey-2`);
	const answer = await fake.send({ target: talk.door, body: text, signer });
	expect(answer.code).toBe("node-unfit");
	expect(answer.text).not.toContain("swordfish");
	expect(victim.asked).toEqual(["GET /actor"]);
	expect((await town.moveIn(talk.sid)).state).toBe("waiting");
});

function actorAgain() {
	fake.handlers.set("/actor", () => ({ body: fake.actorDocument(), signer: null }));
}
