/** Some of the messages; `npm run test:services` takes all of them. */
import { beforeAll, describe, expect, test } from "vitest";
import { nix } from "../nix/get-nix.ts";
import { killedAt, type Outcome, undisturbed, type Victim } from "./killing.ts";

const program = await nix();

describe.skipIf(program === null)("A run in which somebody is killed (needs Nix)", { timeout: 120_000 }, () => {
	let whole: Outcome;
	beforeAll(async () => {
		whole = await undisturbed(program ?? "");
	}, 120_000);

	// While a request is under way, between an answer and its event, and while an event is under way.
	test.each<[Victim, number]>([
		["nixops4", 12],
		["provider", 8],
		["node", 5],
		["node", 8],
	])("%s at message %i: the next run goes on, and nothing is there twice", async (victim, message) => {
		expect(await killedAt(program ?? "", victim, message, whole)).toBe(true);
	});
});
