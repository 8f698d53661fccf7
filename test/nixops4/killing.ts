/** Kills one of the three processes of a run at one message, and lets the next run go on. */
import { expect } from "vitest";
import { providers, type Victim } from "./mishap.ts";
import { choir, Yard } from "./yard.ts";

/** All that a run of this deployment may leave in the world and in the state, whatever happened before. */
export interface Outcome {
	readonly world: object;
	readonly state: object;
}

/** What a run that nobody disturbs comes to. Secrets are other ones in each yard, so only their places are compared. */
export async function undisturbed(nix: string): Promise<Outcome> {
	const yard = new Yard(nix);
	try {
		yard.plan(choir());
		const { code, errors } = await yard.apply();
		expect(code, errors).toBe(0);
		return outcome(yard);
	} finally {
		yard.remove();
	}
}

/** Answers whether the run came so far that somebody was killed. */
export async function killedAt(nix: string, victim: Victim, message: number, whole: Outcome): Promise<boolean> {
	const yard = new Yard(nix);
	try {
		yard.plan(choir());
		const side = await yard.side("d1", victim, message);
		await yard.nixops4(["apply", "--no-interactive"], side);
		await side.close();
		await expect.poll(() => providers(yard.folder), { timeout: 30_000 }).toEqual([]);
		const secrets = yard.world.contents.delivered;
		const { code, errors } = await yard.apply();
		expect(code, `after ${victim} died at message ${message}: ${errors}`).toBe(0);
		expect(outcome(yard), `after ${victim} died at message ${message}`).toEqual(whole);
		expect(yard.world.contents.delivered).toMatchObject(secrets);
		return side.hadMishap();
	} finally {
		yard.remove();
	}
}

function outcome(yard: Yard): Outcome {
	const { delivered, keys, buckets, deeds: _, ...world } = yard.world.contents;
	const sorted = Object.keys(delivered).sort();
	const state = JSON.stringify(yard.states((states) => states.read("d1")));
	const own = Object.keys(keys).reduce((text, key) => text.replaceAll(key, "KEY"), state);
	return {
		world: { ...world, delivered: sorted, keys: Object.keys(keys).length, buckets: Object.keys(buckets) },
		state: JSON.parse(own.replaceAll(/127\.0\.0\.1:\d+/g, "S3")) as object,
	};
}
