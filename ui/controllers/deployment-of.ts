import type { Client } from "#protocol/client.ts";
import { Problem } from "#protocol/problem.ts";
import type { Deployment } from "../views.ts";
import { all } from "./paged-list.ts";

/** Those that may have gone away while another one took the domain. */
const asleep: readonly Deployment["state"][] = ["moved", "kept"];

/** The deployment under a domain; of several that had it, the one that lives, else one that is still kept. */
export async function deploymentOf(api: Client, domain: string, signal: AbortSignal): Promise<Deployment> {
	const list = await all((after) =>
		api("GET /deployments", { query: { limit: 100, ...(after && { after }) }, signal }),
	);
	const mine = list.filter((one) => one.domain === domain || one.unicode === domain);
	const found =
		mine.find(({ state }) => state !== "gone" && !asleep.includes(state)) ??
		mine.find(({ state }) => state !== "gone") ??
		mine[0];
	if (!found) throw new Problem("not-found");
	return found;
}
