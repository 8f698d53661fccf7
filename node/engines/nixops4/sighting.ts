import type { Agent } from "../../agent/agent.ts";
import type { Health } from "../../agent/look.ts";
import type { Sighting } from "../engine.ts";

/** How a service is, by its machine's agent. `name`: as machines know it. Throws Problems of machines that cannot be asked. */
export async function sightingOf(agent: Agent, service: string, name: string): Promise<Sighting> {
	const [health, sizeBytes] = await Promise.all([agent.probe(name), agent.size(name)]);
	const units = Object.entries(health.units).map(([what, detail]) => ({
		...{ what, detail, ok: detail === "active", milliseconds: 0 },
	}));
	const probes = [...units, ...(health.answer ? [{ what: "page", ...health.answer }] : [])];
	return { service, health: health.held ? "stopped" : isWell(health) ? "well" : "unwell", probes, sizeBytes };
}

/** Its units run, and it answers if there is anything to ask. */
export function isWell({ held, units, answer }: Health): boolean {
	return held === null && Object.values(units).every((state) => state === "active") && (answer?.ok ?? true);
}

/** What of it is not as it should be. */
export function detailOf({ units, answer }: Health): string {
	const asleep = Object.entries(units).filter(([, state]) => state !== "active");
	return asleep.map(([unit, state]) => `${unit}: ${state}`).join(", ") || answer?.detail || "";
}
