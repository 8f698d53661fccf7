import { Problem } from "#protocol/problem.ts";
import type { Customer } from "../customers/customer.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Deployments } from "./deployments.ts";
import type { History } from "./history.ts";
import type { Requests } from "./requests.ts";
import { type ViewParts, viewOf } from "./views.ts";

export interface DeploymentRouteParts extends ViewParts {
	readonly deployments: Deployments;
	readonly requests: Requests;
	readonly history: History;
}

/** `/deployments`: a customer asks for services under a domain, and for what comes after. */
export function deploymentRoutes(routes: Routes, parts: DeploymentRouteParts) {
	const { deployments, requests, history } = parts;
	const mine = (customer: Customer, id: string) => deployments.get(customer.id, id);

	implement(routes, "GET /deployments", ({ customer, query }) => {
		const { items, next } = deployments.page(customer.id, query);
		return { items: items.map((deployment) => viewOf(parts, deployment)), next };
	});
	implement(routes, "POST /deployments", ({ customer, body }) => requests.deploy(customer, body));
	implement(routes, "GET /deployments/{id}", ({ customer, path }) => viewOf(parts, mine(customer, path.id)));

	implement(routes, "POST /deployments/{id}/restart", ({ customer, path, body }) =>
		requests.restart(customer, path.id, body.service),
	);
	implement(routes, "POST /deployments/{id}/repair", ({ customer, path }) =>
		requests.repair(customer, path.id, "repair-asked"),
	);
	implement(routes, "POST /staff/deployments/{id}/repair", ({ path }) => {
		const found = deployments.find(path.id) ?? deployments.at(path.id);
		if (!found) throw new Problem("not-found");
		return requests.repair({ id: found.customer }, found.id, "repair-by-staff");
	});
	implement(routes, "POST /deployments/{id}/remove", ({ customer, path, body }) =>
		requests.remove(customer, path.id, body.domain),
	);
	implement(routes, "POST /deployments/{id}/restore", ({ customer, path }) => requests.restore(customer, path.id));
	implement(routes, "POST /deployments/{id}/erase", ({ customer, path, body }) =>
		requests.erase(customer, path.id, body.domain),
	);

	implement(routes, "POST /deployments/{id}/services/{service}/credentials", ({ customer, path }) =>
		requests.reveal(customer, path.id, path.service),
	);
	implement(routes, "PUT /deployments/{id}/services/{service}/credentials", ({ customer, path, body }) =>
		requests.setPassword(customer, path.id, path.service, body.password),
	);

	implement(routes, "GET /deployments/{id}/history", ({ customer, path, query }) =>
		history.page(mine(customer, path.id).id, query),
	);
}
