import type { z } from "zod";
import type { ProviderView, ServiceCard } from "#protocol/api/provider.ts";
import type { Engine } from "../engines/engine.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Service } from "./service.ts";

export interface ServiceRouteParts {
	readonly catalogue: readonly Service[];
	readonly engine: Engine;
	readonly provider: z.infer<typeof ProviderView>;
}

/** `/provider` and `/services`: who runs this node and what it can run, for everybody to see. */
export function serviceRoutes(routes: Routes, { catalogue, engine, provider }: ServiceRouteParts) {
	implement(routes, "GET /provider", () => provider);
	implement(routes, "GET /services", async () => ({
		items: await Promise.all(catalogue.map((service) => cardOf(service, engine))),
	}));
}

async function cardOf(service: Service, engine: Engine): Promise<z.infer<typeof ServiceCard>> {
	const ability = await engine.can(service);
	const { name, title, promise, goodFor, website, needs, size, hosts } = service;
	return {
		...{ name, title, promise, goodFor, website, size, needs: [...needs], host: hosts[0] ?? null },
		canRun: ability.can,
		why: ability.can ? null : ability.why,
		whyCode: ability.can ? null : ability.code,
		missing: ability.can ? null : ability.missing,
	};
}
