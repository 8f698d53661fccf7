import type { Engine } from "../engines/engine.ts";
import type { Service } from "../services/service.ts";
import { type Finding, good, warning } from "./finding.ts";

/** Which services this node can offer, and what it would take for those that it cannot but could. */
export async function programs(
	engine: Pick<Engine, "name" | "can"> | undefined,
	services: readonly Service[],
): Promise<Finding[]> {
	if (!engine) return [];
	const abilities = await Promise.all(
		services.map(async (service) => ({ service, ability: await engine.can(service) })),
	);
	return abilities.flatMap(({ service: { name, title }, ability }) => {
		const check = `service:${name}`;
		if (ability.can) return [good(check, `${title} can be deployed${ability.version ? ` (${ability.version})` : ""}`)];
		// Another engine's services are no fault of this node.
		if (ability.code === "needs-engine") return [];
		return [
			warning(
				check,
				`${title} cannot be deployed: ${ability.why}`,
				`Install ${ability.missing} if you want to offer it`,
			),
		];
	});
}
