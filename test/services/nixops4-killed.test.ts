import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasSshd } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { killedAt, undisturbed } from "../nixops4/killing.ts";
import type { Victim } from "../nixops4/mishap.ts";
import { engineKilledAt, wholeState } from "../nixops4/straw/killing.ts";
import { StrawNode } from "../nixops4/straw/node.ts";
import { hasPostgres } from "../postgres.ts";

const program = await nix();
const victims: readonly Victim[] = ["nixops4", "provider", "node"];

describe.skipIf(program === null)("A run by NixOps4 in which somebody is killed (needs Nix)", () => {
	test.each(victims)("%s, at every message there is", async (victim) => {
		const whole = await undisturbed(program ?? "");
		let message = 1;
		while (await killedAt(program ?? "", victim, message, whole)) message++;
		expect(message).toBeGreaterThan(20);
	});
});

const canRun = program !== null && hasSshd && hasPostgres;
describe.skipIf(!canRun)(
	"An engine's run in which somebody is killed (needs Nix, sshd and PostgreSQL)",
	{ timeout: 1_800_000 },
	() => {
		let node: StrawNode;
		beforeAll(async () => {
			node = await StrawNode.open(1);
		}, 60_000);
		afterAll(() => node?.close());

		test.each(victims)("%s, at every message there is", async (victim) => {
			const whole = await wholeState(node);
			let message = 1;
			while (await engineKilledAt(node, victim, message, whole)) message++;
			expect(message).toBeGreaterThan(20);
		});
	},
);
