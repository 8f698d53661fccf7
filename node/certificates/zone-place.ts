import { setTimeout as pause } from "node:timers/promises";
import type { Lookup } from "../domains/lookup.ts";
import type { DnsRecord, Zone } from "../domains/zone.ts";
import { type Challenge, type ChallengePlace, challengeName } from "./certificate.ts";

/** Short, so that a challenge of before is forgotten soon; seconds. */
const ttl = 10;
const between = 2000;

/** Challenges in a zone that this node writes. */
export class ZonePlace implements ChallengePlace {
	readonly #zone: Zone;

	constructor(zone: Zone) {
		this.#zone = zone;
	}

	publish(challenges: readonly Challenge[]): Promise<void> {
		return this.#zone.set(challenges.map(recordOf));
	}

	withdraw(challenges: readonly Challenge[]): Promise<void> {
		return this.#zone.remove(challenges.map(recordOf));
	}
}

/**
 * Waits until every server that is responsible has the challenges, for a zone's secondaries come later than its primary;
 * after `most` ms, or where nobody can be asked, it is left to the authority to look.
 */
export async function waitUntilSeen(
	challenges: readonly Challenge[],
	lookup: Lookup,
	most: number,
	signal: AbortSignal,
): Promise<void> {
	const over = Date.now() + most;
	while (Date.now() < over) {
		const said = await Promise.all(challenges.map(({ host }) => lookup.ask(challengeName(host), "TXT")));
		const isMissing = challenges.some(({ value }, n) =>
			said[n]?.some(({ values }) => values && !values.includes(value)),
		);
		if (!isMissing) return;
		await pause(between, undefined, { signal });
	}
}

function recordOf({ host, value }: Challenge): DnsRecord {
	return { type: "TXT", name: challengeName(host), value, ttl };
}
