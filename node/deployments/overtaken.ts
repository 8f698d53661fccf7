import { getLogger } from "@logtape/logtape";
import type { Ownership } from "../domains/records.ts";
import type { Engine } from "../engines/engine.ts";
import type { Notices } from "../notices/notice.ts";
import type { Deployment } from "./deployment.ts";
import type { Deployments } from "./deployments.ts";
import type { History } from "./history.ts";

export interface OvertakenParts {
	readonly deployments: Deployments;
	readonly history: History;
	readonly notices: Notices;
	readonly engine: Engine;
	/** This node's, as the ownership record names it. */
	readonly actor: string;
	/** In which epoch this node serves a domain. */
	epochOf(customer: string, domain: string): number;
	/** What the DNS says of it; rejects when nobody knows. */
	serving(domain: string): Promise<Ownership | undefined>;
}

/** How long the DNS may take to say so before services start; they are looked at again later. Ms. */
const patience = 3000;

const log = getLogger(["fediversity", "deployments"]);

/**
 * Lets those deployments rest whose domain another node serves in a later epoch: this node was brought back from a backup
 * of before they moved. Two that serve one domain would tear it apart. Where the DNS is silent, nothing changes.
 */
export async function restOvertaken(parts: OvertakenParts): Promise<void> {
	const serving = parts.deployments.inState("serving");
	for (let at = 0; at < serving.length; at += 20)
		await Promise.all(serving.slice(at, at + 20).map((deployment) => look(parts, deployment)));
}

async function look(parts: OvertakenParts, { id, customer, domain, plan }: Deployment): Promise<void> {
	const { deployments, history, notices, engine } = parts;
	const holder = await holderOf(parts, domain);
	// Also our own name in a later epoch: what came back since is not what this node knows of.
	if (!holder || holder.epoch <= parts.epochOf(customer, domain)) return;
	const params = { domain, holder: URL.parse(holder.actor)?.hostname ?? holder.actor };
	deployments.move(id, "frozen");
	history.add(id, "served-elsewhere", params);
	notices.tell({
		key: `served-elsewhere:${id}:${holder.epoch}`,
		customer,
		kind: "served-elsewhere",
		params,
		link: `/d/${domain}`,
	});
	log.warning("{domain} is served by {holder} in epoch {epoch}; it rests here", { ...params, epoch: holder.epoch });
	await engine.apply({ ...plan, mode: "frozen" }, { signal: AbortSignal.timeout(60_000), progress() {}, log() {} });
}

async function holderOf({ serving }: OvertakenParts, domain: string): Promise<Ownership | undefined> {
	const timer = Promise.withResolvers<undefined>();
	const timeout = setTimeout(timer.resolve, patience, undefined);
	try {
		return await Promise.race([serving(domain), timer.promise]);
	} catch (error) {
		log.info("Who serves {domain} is not known now: {error}", { domain, error });
		return undefined;
	} finally {
		clearTimeout(timeout);
	}
}
