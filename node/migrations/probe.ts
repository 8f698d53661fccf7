import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { Content } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Plan } from "../engines/engine.ts";
import type { Outside } from "../peers/outside.ts";

const log = getLogger(["fediversity", "migrations"]);

/** Whether all services of a plan answer where the other node said; throws `service-not-ready` for the first that does not. */
export async function probe(outside: Outside, { services }: Plan, { front }: Content<"accept">, signal: AbortSignal) {
	for (const { hosts, name } of services)
		for (const host of hosts.slice(0, 1)) {
			const answer = await outside.ask(`${front}/`, { headers: { host, "x-request-id": randomUUID() }, signal });
			answer.body.destroy();
			// 421 is what a node says that knows nothing of the host.
			if (answer.status >= 500 || answer.status === 421)
				throw new Problem("service-not-ready", { service: name, seconds: 10 });
		}
	log.debug("{count} services answer at {front}", { count: services.length, front });
}
