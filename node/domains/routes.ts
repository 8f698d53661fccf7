import { Problem } from "#protocol/problem.ts";
import type { Service } from "../services/service.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Domains } from "./domains.ts";
import type { ServiceHost } from "./records.ts";

export interface DomainRouteParts {
	readonly domains: Domains;
	readonly catalogue: readonly Service[];
}

/** `/domains`: a customer's domains, and the records they need. */
export function domainRoutes(routes: Routes, { domains, catalogue }: DomainRouteParts) {
	implement(routes, "GET /domains", ({ customer, query }) => domains.page(customer.id, query));
	implement(routes, "POST /domains", async ({ customer, body }) => {
		await domains.checkFree(body.domain);
		return domains.add(customer.id, body.domain);
	});
	implement(routes, "GET /domains/{domain}/records", ({ customer, path, query }) => {
		const { domain } = domains.get(customer.id, path.domain);
		return domains.recordsView(customer.id, domain, hostsOf(query.services, domain, catalogue));
	});
	implement(routes, "DELETE /domains/{domain}", ({ customer, path }) => domains.remove(customer.id, path.domain));
}

/** The host names of services that are named with commas between them. */
function hostsOf(names: string, domain: string, catalogue: readonly Service[]): ServiceHost[] {
	const chosen = names.split(",").filter((name) => name !== "");
	return [...new Set(chosen)].flatMap((name) => {
		const service = catalogue.find((one) => one.name === name);
		if (!service) throw new Problem("service-unknown", { service: name });
		return service.hosts.map((label) => ({ host: `${label}.${domain}`, service: name }));
	});
}
