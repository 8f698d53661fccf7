import { describe, expect, test } from "vitest";
import { nix } from "../nix/get-nix.ts";
import { killedAt, undisturbed, type Victim } from "../nixops4/killing.ts";

const program = await nix();

describe.skipIf(program === null)("A run by NixOps4's stand-in in which somebody is killed (needs Nix)", () => {
	test.each<Victim>(["nixops4", "provider", "node"])("%s, at every message there is", async (victim) => {
		const whole = await undisturbed(program ?? "");
		let message = 1;
		while (await killedAt(program ?? "", victim, message, whole)) message++;
		expect(message).toBeGreaterThan(20);
	});
});
