import type { Engine, Sighting } from "../engines/engine.ts";
import type { Notices } from "../notices/notice.ts";
import type { Deployment } from "./deployment.ts";
import type { Deployments, Seen } from "./deployments.ts";
import type { History } from "./history.ts";

/** A service that does not answer for this long is worth telling its customer, and setting up again. */
export const patienceMs = 2 * 60_000;

export interface WatchParts {
	readonly engine: Engine;
	readonly deployments: Deployments;
	readonly history: History;
	readonly notices: Notices;
	readonly now: () => number;
}

/** Looks at every serving deployment once, by asking the services themselves, and says what has changed for the worse or better. */
export async function lookAround(parts: WatchParts): Promise<void> {
	for (const deployment of parts.deployments.inState("serving")) await lookAt(parts, deployment);
}

/** One deployment, now. */
export async function lookAt(parts: WatchParts, deployment: Deployment): Promise<void> {
	for (const sighting of await parts.engine.look(deployment.plan)) {
		const before = parts.deployments.sight(deployment.id, sighting);
		if (before) speak(parts, deployment, sighting, before);
	}
}

function speak(parts: WatchParts, deployment: Deployment, sighting: Sighting, before: Seen) {
	const ill = sighting.health !== "well";
	const longEnough = before.health === sighting.health && parts.now() - before.since >= patienceMs;
	if (ill && longEnough && !before.told) say("service-unwell", true);
	if (!ill && before.told) say("service-well", false);

	function say(kind: "service-unwell" | "service-well", told: boolean) {
		const { id, customer, domain } = deployment;
		const since = new Date(before.since).toISOString();
		const params = { domain, service: sighting.service, since };
		parts.deployments.markTold(id, sighting.service, told);
		parts.history.add(id, kind, params);
		parts.notices.tell({
			key: `${kind}:${id}:${sighting.service}:${since}`,
			customer,
			kind,
			params,
			link: `/d/${domain}`,
		});
	}
}
