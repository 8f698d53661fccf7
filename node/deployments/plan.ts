import { Problem } from "#protocol/problem.ts";
import type { Plan, PlannedService } from "../engines/engine.ts";
import type { Service } from "../services/service.ts";

export interface Wish {
	readonly deployment: string;
	readonly domain: string;
	readonly services: readonly string[];
	readonly owner: { readonly username: string; readonly email: string };
}

/** The services of these names, in the order they must start: what another needs comes first. Throws the service problems. */
export function chosen(names: readonly string[], catalogue: readonly Service[]): Service[] {
	if (names.length === 0) throw new Problem("services-empty");
	const services = [...new Set(names)].map((name) => {
		const service = catalogue.find((one) => one.name === name);
		if (!service) throw new Problem("service-unknown", { service: name });
		return service;
	});
	for (const service of services) {
		const lacking = service.needs.find((need) => !names.includes(need));
		if (lacking) throw new Problem("service-needs", { service: service.title, needs: titleOf(lacking, catalogue) });
	}
	return services.sort((a, b) => Number(b.needs.length === 0) - Number(a.needs.length === 0));
}

/** What should be, for a customer's wish. Throws `service-clash` when two services want one address. */
export function planOf(wish: Wish, services: readonly Service[], originOf: (host: string) => string): Plan {
	const planned = services.map((service): PlannedService => {
		const hosts = service.hosts.map((label) => `${label}.${wish.domain}`);
		return { name: service.name, hosts, origin: originOf(hosts[0] ?? wish.domain), owner: wish.owner };
	});
	const holders = new Map<string, Service>();
	for (const [n, service] of services.entries())
		for (const host of planned[n]?.hosts ?? []) {
			const other = holders.get(host);
			if (other) throw new Problem("service-clash", { service: service.title, other: other.title, host });
			holders.set(host, service);
		}
	return { deployment: wish.deployment, domain: wish.domain, services: planned, mode: "serving" };
}

function titleOf(name: string, catalogue: readonly Service[]): string {
	return catalogue.find((service) => service.name === name)?.title ?? name;
}
