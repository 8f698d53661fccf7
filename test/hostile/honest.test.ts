/** First that the fake node can keep to the rules: else nothing it is refused for would mean anything. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../stories/world.ts";
import { Town } from "./town.ts";
import { activeFor, arrived, committed } from "./walks.ts";

let town: Town;
beforeAll(async () => {
	town = await Town.open();
});
afterAll(() => town?.close());

test("a source that keeps to the rules moves a deployment in, with its state and its password", async () => {
	const moving = await town.movedIn(await town.stranger());
	await arrived(moving);
	expect(await town.visit(moving.domain)).toEqual({ status: 200, text: expect.stringMatching(/^tiny 42 /) });
	await eventually("it serves", async () => (await town.stateOf(moving.domain)) === "serving");
});

test("a target that keeps to the rules gets a deployment, and requests are handed on to it", async () => {
	const target = await town.stranger("other");
	target.handlers.set("/", () => ({ body: "served there", signer: null }));
	const moving = await town.movingOut(target, await town.deployed());
	const move = await committed(moving);
	expect((await moving.talk.say(activeFor(move))).status).toBe(204);
	expect(await town.ended(moving.job)).toEqual({ state: "done", problems: [] });
	expect(await town.visit(moving.domain)).toEqual({ status: 200, text: "served there" });
	expect(await town.stateOf(moving.domain)).toBe("moved");
});
