/** Some of the messages; `npm run test:services` takes all of them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasSshd } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { hasPostgres } from "../postgres.ts";
import { killedAt, type Outcome, undisturbed } from "./killing.ts";
import type { Victim } from "./mishap.ts";
import { engineKilledAt, wholeState } from "./straw/killing.ts";
import { StrawNode } from "./straw/node.ts";

const program = await nix();

describe.skipIf(program === null)("A run in which somebody is killed (needs Nix)", { timeout: 120_000 }, () => {
	let whole: Outcome;
	beforeAll(async () => {
		whole = await undisturbed(program ?? "");
	}, 120_000);

	// Between an answer and its event, and while an event is under way.
	test.each<[Victim, number]>([
		["provider", 8],
		["node", 8],
	])("%s at message %i: the next run goes on, and nothing is there twice", async (victim, message) => {
		expect(await killedAt(program ?? "", victim, message, whole)).toBe(true);
	});
});

const canRun = program !== null && hasSshd && hasPostgres;
describe.skipIf(!canRun)(
	"An engine's run in which somebody is killed (needs Nix, sshd and PostgreSQL)",
	{ timeout: 300_000 },
	() => {
		let node: StrawNode;
		let whole: object;
		beforeAll(async () => {
			node = await StrawNode.open(1);
			whole = await wholeState(node);
		}, 300_000);
		afterAll(() => node?.close());

		// While the machine is reserved, and when a secret has come there that is not recorded yet.
		test.each<[Victim, number]>([
			["nixops4", 8],
			["node", 12],
		])(
			"%s at message %i: the next run goes on with the same secrets, and nothing is left or there twice",
			async (victim, message) => {
				expect(await engineKilledAt(node, victim, message, whole)).toBe(true);
			},
		);
	},
);
