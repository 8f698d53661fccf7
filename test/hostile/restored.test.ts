/** An honest node that is brought back from a backup in the middle of a move: what it has forgotten comes to nothing, and never do two serve. */
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Activity, signActivity } from "#protocol/migration/activity.ts";
import { digest } from "#protocol/migration/canonical.ts";
import type { Content } from "#protocol/migration/messages.ts";
import { lineOf } from "../../node/transfer/lines.ts";
import { eventually } from "../stories/world.ts";
import { type FakeNode, newKeys } from "./fake-node.ts";
import { Town } from "./town.ts";
import { activeFor, agreed, announceOf, committed, copied, frozen, moveOf, voted, voteFor } from "./walks.ts";

let town: Town;
let fake: FakeNode;
beforeAll(async () => {
	town = await Town.open();
	fake = await town.stranger();
	fake.handlers.set("/", () => ({ body: "served there", signer: null }));
});
afterAll(() => town?.close());

const files = ["", "-wal", "-shm"].map((suffix) => `node.sqlite${suffix}`);

/** The node's database, copied while nobody is at it. */
const backUp = () => town.restart(() => copy("state", "."));
const restore = () => town.restart(() => copy(".", "state"));

function copy(from: string, to: string) {
	for (const file of files) {
		rmSync(join(town.folder, to, file), { force: true });
		if (existsSync(join(town.folder, from, file)))
			copyFileSync(join(town.folder, from, file), join(town.folder, to, file));
	}
}

const record = async (domain: string) => {
	const [text = ""] = await town.zone.look(`_fediversity.${domain}`, "TXT");
	return text.replace(/; c=.*/, "");
};
const named = (epoch: number, actor: string) => `e=${epoch}; a=${actor}`;
const own = () => `${town.origin}/actor`;

describe("the source", () => {
	test("that has forgotten its freeze serves in a new epoch, calls off where it was, and the target cannot win", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const manifest = await agreed(moving);
		await backUp();
		expect(await moving.talk.say({ kind: "announce", content: announceOf(manifest) })).toMatchObject({ status: 204 });
		const final = await moving.talk.until("manifest", 2);
		await restore();
		expect(await town.ended(moving.job)).toMatchObject({ state: "undone", problems: ["migration-forgotten"] });
		await moving.talk.until("withdraw");
		const { seq, prev } = JSON.parse(JSON.parse(moving.talk.heard.at(-1)?.body.toString() ?? "").object.content);
		expect([seq, prev]).toEqual([4, moving.talk.heard.at(-2)?.digest]);
		expect(moving.talk.heard.map(({ kind }) => kind)).toEqual(["offer", "manifest", "manifest", "withdraw"]);
		expect(await town.serves(moving.domain)).toBe(true);
		expect(await record(moving.domain)).toBe(named(2, own()));
		expect(await moving.talk.say(voteFor(final))).toMatchObject({ code: "migration-forgotten" });
		expect(await town.stateOf(moving.domain)).toBe("serving");
	});

	test("that has forgotten its hand-over does not serve, and says what is wrong", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const manifest = await agreed(moving);
		await backUp();
		await moving.talk.say({ kind: "announce", content: announceOf(manifest) });
		await moving.talk.say(voteFor(await moving.talk.until("manifest", 2)));
		const move = await moving.talk.until("move");
		await eventually("the record names the target", async () => (await record(moving.domain)) === named(2, fake.actor));
		await restore();
		expect(await town.ended(moving.job)).toEqual({
			state: "stuck",
			problems: expect.arrayContaining(["migration-forgotten"]),
		});
		expect((await town.visit(moving.domain)).status).toBe(503);
		expect(await town.stateOf(moving.domain)).toBe("frozen");
		expect(await moving.talk.say(activeFor(move))).toMatchObject({ code: "migration-forgotten" });
		expect(await record(moving.domain)).toBe(named(2, fake.actor));
		await town.restart();
		expect((await town.visit(moving.domain)).status).toBe(503);
		expect(moving.talk.heard.some(({ kind }) => kind === "withdraw")).toBe(false);
	});

	test("whose target is silent as it starts finds out with the first word it hears", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const manifest = await agreed(moving);
		await backUp();
		await moving.talk.say({ kind: "announce", content: announceOf(manifest) });
		const final = await moving.talk.until("manifest", 2);
		moving.talk.on("GET", "/heard", () => ({ status: 500, signer: null }));
		await restore();
		const { body } = moving.talk.heard.at(-1) ?? {};
		moving.talk.on("GET", "/heard", () => ({ body: { heard: JSON.parse(body?.toString() ?? "") } }));
		expect((await moving.talk.say(voteFor(final))).status).not.toBe(204);
		expect(await town.ended(moving.job)).toMatchObject({ state: "undone", problems: ["migration-forgotten"] });
		expect(await record(moving.domain)).toBe(named(2, own()));
		expect(await town.serves(moving.domain)).toBe(true);
	});

	test("that has forgotten nothing is not talked into it by a target that shows what nobody here has signed", async () => {
		const moving = await town.movingOut(fake, await town.deployed());
		const final = await frozen(moving);
		const other = await town.movingOut(await town.stranger("third"), await town.deployed());
		const heard = JSON.parse(moving.talk.heard.at(-1)?.body.toString() ?? "");
		// As it should be in everything but the key.
		const { head, digest: prev } = { head: moving.talk.head(), digest: moving.talk.heard.at(-1)?.digest ?? null };
		const forged = await signActivity(
			{ ...head, seq: 4, prev, heard: moving.talk.said.at(-1)?.digest ?? null, from: own(), to: fake.actor },
			{ kind: "withdraw", content: { code: "cancelled", detail: "" } },
			newKeys(`${own()}#multikey-2`),
		);
		const lies = [
			{ heard: forged.document },
			{ heard: JSON.parse(other.talk.heard.at(-1)?.body.toString() ?? "") },
			{ heard: { ...heard, published: "2020-01-01T00:00:00Z" } },
			{ heard: (await moving.talk.write(voteFor(final))).document },
			{ heard: "yes" },
			{},
		];
		for (const body of lies) {
			moving.talk.on("GET", "/heard", () => ({ body }));
			await town.restart();
			expect((await town.job(moving.job)).state).toBe("running");
		}
		moving.talk.on("GET", "/heard", () => ({ body: { heard } }));
		await town.restart();
		expect(await moving.talk.say(voteFor(final))).toMatchObject({ status: 204 });
		const move = await moving.talk.until("move");
		expect(await moving.talk.say(activeFor(move))).toMatchObject({ status: 204 });
		expect((await town.ended(moving.job)).state).toBe("done");
	});
});

describe("the target", () => {
	test("that has forgotten its vote refuses for good, where the source last heard it, and leaves nothing behind", async () => {
		const moving = await town.movedIn(fake);
		await copied(moving);
		await backUp();
		const { manifest } = await voted(moving, 2);
		await restore();
		await moving.talk.until("reject");
		const { seq, prev } = JSON.parse(JSON.parse(moving.talk.heard.at(-1)?.body.toString() ?? "").object.content);
		expect([seq, prev]).toEqual([5, moving.talk.heard.at(-2)?.digest]);
		const { job } = await town.moveIn(moving.talk.sid);
		expect(await town.ended(job ?? "")).toMatchObject({ state: "undone", problems: ["migration-forgotten"] });
		expect(await moving.talk.say(await moveOf(moving, manifest))).toMatchObject({ code: "migration-forgotten" });
		expect(await town.stateOf(moving.domain)).toBeUndefined();
		expect(await town.serves(moving.domain)).toBe(false);
		expect(await record(moving.domain)).toBe(named(1, fake.actor));
	});

	test("that has forgotten what it heard says what it knows, and takes once more what is said again", async () => {
		const moving = await town.movedIn(fake);
		const { talk, bag } = moving;
		await backUp();
		const round = { kind: "manifest" as const, content: bag.manifest(1, false) };
		talk.on("GET", "/listings", () => ({ status: 404, signer: null }));
		expect(await talk.say(round)).toMatchObject({ status: 204 });
		const known: (string | null)[] = [];
		talk.on("GET", "/heard", ({ url }) => {
			known.push(url.searchParams.get("known"));
			return { body: { heard: JSON.parse(talk.heard.at(-1)?.body.toString() ?? "") } };
		});
		await restore();
		expect(known[0]).toBe(talk.said.at(-2)?.digest);
		bag.serve(talk);
		expect(await talk.post(talk.said.at(-1) as Activity)).toMatchObject({ status: 204 });
		expect((await talk.until("announce")).manifest).toBe(digest(round.content));
	});

	test("that has forgotten the last manifest, in the middle of fetching it, votes when it has heard it again", async () => {
		const moving = await town.movedIn(fake);
		const { talk, bag } = moving;
		await copied(moving);
		await backUp();
		const asked = Promise.withResolvers<void>();
		talk.on("GET", "/listings", () => {
			asked.resolve();
			return { status: 500, signer: null };
		});
		bag.lines.push(lineOf(bag.entry("zz.txt", "written while the first round was copied")));
		const last = { kind: "manifest" as const, content: bag.manifest(2, true) };
		expect(await talk.say(last)).toMatchObject({ status: 204 });
		await asked.promise;
		talk.on("GET", "/heard", () => ({ body: { heard: JSON.parse(talk.heard.at(-1)?.body.toString() ?? "") } }));
		await restore();
		bag.serve(talk);
		expect(await talk.post(talk.said.at(-1) as Activity)).toMatchObject({ status: 204 });
		expect((await talk.until("vote")).manifest).toBe(digest(last.content));
	});

	test("that has forgotten that it serves erases nothing: people must decide", async () => {
		const moving = await town.movedIn(fake);
		const { manifest } = await voted(moving);
		await backUp();
		expect(await moving.talk.say(await moveOf(moving, manifest))).toMatchObject({ status: 204 });
		await moving.talk.until("active");
		await restore();
		const { job } = await town.moveIn(moving.talk.sid);
		expect(await town.ended(job ?? "")).toMatchObject({
			state: "stuck",
			problems: expect.arrayContaining(["migration-forgotten"]),
		});
		expect(await town.stateOf(moving.domain)).toBe("arriving");
		expect(moving.talk.heard.some(({ kind }) => kind === "reject")).toBe(false);
	});
});

test("whoever has forgotten what it heard is told it again, and all that came after it", async () => {
	const moving = await town.movingOut(fake, await town.deployed());
	const { talk } = moving;
	await frozen(moving);
	const came: string[] = [];
	talk.on("POST", "", ({ body }) => {
		came.push(talk.take(body).kind);
		return { status: 204 };
	});
	const ask = (known: string) => fake.send({ method: "GET", target: `${talk.door}/heard?known=${known}` });
	expect((await ask(talk.heard[0]?.digest ?? "")).status).toBe(200);
	await eventually("both manifests come again", async () => came.length >= 2);
	expect(came).toEqual(["manifest", "manifest"]);
	expect((await ask("A".repeat(43))).status).toBe(200);
	expect((await ask("")).status).toBe(200);
	await eventually("all comes again", async () => came.length >= 5);
	expect(came.slice(2)).toEqual(["offer", "manifest", "manifest"]);
	expect(await talk.say(voteFor(talk.last("manifest") as Content<"manifest">))).toMatchObject({ status: 204 });
	await talk.until("move");
});

test("committed, and nothing is forgotten: it goes on", async () => {
	const moving = await town.movingOut(fake, await town.deployed());
	const move = await committed(moving);
	await town.restart();
	expect(await moving.talk.say(activeFor(move))).toMatchObject({ status: 204 });
	expect((await town.ended(moving.job)).state).toBe("done");
});

test("an old node that knows nothing of the whole move rests: the record names another", async () => {
	const choir = await town.deployed();
	await backUp();
	const moving = await town.movingOut(fake, choir);
	await moving.talk.say(activeFor(await committed(moving)));
	expect((await town.ended(moving.job)).state).toBe("done");
	expect(await town.visit(choir.domain)).toEqual({ status: 200, text: "served there" });
	await restore();
	await eventually("it rests", async () => (await town.stateOf(choir.domain)) === "frozen");
	expect((await town.visit(choir.domain)).status).toBe(503);
	expect(await record(choir.domain)).toBe(named(2, fake.actor));
});
