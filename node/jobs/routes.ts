import { eventStream } from "../web/event-stream.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Jobs } from "./jobs.ts";

/** `/jobs` for customers, who see their own, and `/staff/jobs` for the provider's staff, who see all. */
export function jobRoutes(routes: Routes, jobs: Jobs) {
	implement(routes, "GET /jobs", ({ customer, query }) => jobs.list({ ...query, customer: customer.id }));
	implement(routes, "GET /jobs/{id}", ({ customer, path }) => jobs.view(path.id, customer.id));
	implement(routes, "GET /jobs/{id}/log", ({ customer, path, query }) => ({
		lines: jobs.log(path.id, query.after, customer.id),
	}));
	implement(routes, "POST /jobs/{id}/cancel", ({ customer, path }) => jobs.cancel(path.id, customer.id));
	implement(routes, "POST /jobs/{id}/retry", ({ customer, path }) => jobs.retry(path.id, customer.id));
	implement(routes, "GET /jobs/{id}/events", ({ customer, path, c }) => {
		jobs.head(path.id, customer.id);
		return eventStream(c, (after = 0, signal) => jobs.events(path.id, after, signal, customer.id));
	});

	implement(routes, "GET /staff/jobs", ({ query }) => jobs.list({ ...query, customer: null }));
	implement(routes, "GET /staff/jobs/{id}", ({ path }) => jobs.view(path.id, null));
	implement(routes, "POST /staff/jobs/{id}/cancel", ({ path }) => jobs.cancel(path.id, null));
	implement(routes, "POST /staff/jobs/{id}/retry", ({ path }) => jobs.retry(path.id, null));
}
