import { Problem } from "#protocol/problem.ts";
import type { Deployment } from "../deployments/deployment.ts";
import { hostsOf } from "../deployments/requests.ts";
import type { Plan } from "../engines/engine.ts";
import type { Calls } from "../peers/calls.ts";
import type { Outside } from "../peers/outside.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ArriveTools } from "./arrive.ts";
import { type Challenges, placeAtSource } from "./challenges.ts";
import type { Departures } from "./departures.ts";
import type { Echo } from "./echo.ts";
import type { LeaveTools } from "./leave.ts";
import type { MigrationParts } from "./migrations.ts";
import { probe } from "./probe.ts";
import type { Sessions } from "./sessions.ts";

type Given =
	| "vault"
	| "engine"
	| "domains"
	| "deployments"
	| "now"
	| "front"
	| "provider"
	| "freezeSeconds"
	| "customerName"
	| "limits"
	| "notices"
	| "certificates"
	| "erase";

export interface ToolParts extends Pick<MigrationParts, Given> {
	readonly sessions: Sessions;
	readonly calls: Calls;
	readonly outside: Outside;
	readonly departures: Departures;
	readonly arrivals: Arrivals;
	readonly challenges: Challenges;
	readonly echo: Echo;
	/** What moved away from here under this domain, and whose copy is still kept. */
	formerOf(domain: string): Deployment | undefined;
}

const day = 86_400_000;

/** What the two halves of a move, `leave.ts` and `arrive.ts`, do their work with. */
export function toolsOf(parts: ToolParts): LeaveTools & ArriveTools {
	const { vault, engine, domains, deployments, now, sessions, calls, outside, departures, arrivals } = parts;
	const { challenges, echo, formerOf } = parts;
	return {
		...{ sessions, engine, now, freezeSeconds: parts.freezeSeconds },
		inventory: (...asked) => departures.inventory(...asked),
		async forget(migration, plan) {
			await departures.forget(migration, plan);
			// A zone that cannot be changed now holds up nobody: the round comes back to it.
			await challenges.clear(migration).catch(() => {});
		},
		secrets: (plan, sealTo) => sealedSecrets(vault, plan, sealTo),
		setState: (deployment, state) => deployments.move(deployment, state),
		async handDomainOver(domain, accept) {
			await domains.handOver(domain, accept.records);
		},
		probe: (plan, accept, signal) => probe(outside, plan, accept, signal),
		follow: (...asked) => echo.follow(...asked),
		rested: (...said) => echo.rested(...said),
		async terms(migration, plan) {
			const session = sessions.known(migration);
			const epoch = (session.about.offer?.epoch ?? 1) + 1;
			if (!domains.isClaimed(session.customer, plan.domain)) sessions.change(migration, { about: { claimed: true } });
			const records = domains.expect(session.customer, plan.domain, hostsOf(plan), epoch);
			return {
				...{ until: now() + day, sealTo: session.about.sealTo ?? "", front: parts.front },
				records: records.map(({ type, name, value, ttl }) => ({ type, name, value, ttl })),
				...{ limits: parts.limits(session), customer: parts.customerName(session.customer), provider: parts.provider },
			};
		},
		unexpect(migration, plan) {
			const { about, customer } = sessions.known(migration);
			if (about.claimed) domains.unexpect(customer, plan.domain);
		},
		receive: (...asked) => arrivals.receive(...asked),
		rehearse: (...asked) => arrivals.rehearse(...asked),
		async orderCertificate(migration, plan, work) {
			const { certificates } = parts;
			if (!certificates.isOn) return;
			const session = sessions.known(migration);
			const place = session.about.offer?.managesZone ? placeAtSource(session, calls) : undefined;
			const wanted = { domain: plan.domain, hosts: hostsOf(plan).map(({ host }) => host) };
			const open = sessions.whileOpen(migration, work.signal);
			try {
				await orAborted(certificates.order(wanted, place), open.signal);
			} catch (error) {
				if (certificates.required || open.signal.aborted || !(error instanceof Problem)) throw error;
				work.log(`There is no certificate for ${plan.domain} yet: ${error.message}`);
			} finally {
				open.close();
			}
		},
		moveIn: (...asked) => arrivals.moveIn(...asked),
		discard: (...asked) => arrivals.discard(...asked),
		async erase(plan, work) {
			await engine.apply({ ...plan, mode: "absent" }, work);
			await vault.remove(`${plan.deployment}/`);
		},
		async takeDomainBack(migration, plan) {
			const accept = sessions.last(migration, "target", "accept");
			const session = sessions.known(migration);
			if (!accept || session.talk.state !== "taken-back") return;
			await domains.takeBack(session.customer, plan.domain, hostsOf(plan), accept.records);
		},
		managesZone: (domain) => domains.manages(domain),
		async takeDomainOver(migration, plan, how) {
			const { customer, about } = sessions.known(migration);
			try {
				await domains.takeOver(customer, plan.domain, hostsOf(plan), about.peer?.actor ?? "", how);
			} catch (error) {
				if (how === "at last" && error instanceof Problem && error.code === "domain-awaited") askForRecords();
				throw error;
			}

			/** Once, however often we look. */
			function askForRecords() {
				const params = { domain: plan.domain, provider: parts.provider };
				const key = `records-needed:${migration}`;
				parts.notices.tell({ key, customer, kind: "records-needed", params, link: `/d/${plan.domain}` });
			}
		},
		eraseFormer(plan) {
			const former = formerOf(plan.domain);
			if (former) parts.erase(former.id);
		},
		telling: (...asked) => echo.telling(...asked),
	};
}

async function sealedSecrets(vault: Vault, { deployment, services }: Plan, sealTo: string): Promise<string> {
	const { sealSecrets } = await import("#protocol/migration/seal.ts");
	const secrets: Record<string, string> = {};
	for (const { name } of services)
		for (const full of await vault.names(`${deployment}/${name}/`)) {
			const value = await vault.get(full);
			if (value !== undefined) secrets[full.slice(deployment.length + 1)] = value;
		}
	return sealSecrets(sealTo, secrets);
}

/** What goes on by itself is waited for no longer than `signal` lets us. */
function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal.aborted) reject(signal.reason);
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
		work.then(resolve, reject);
	});
}
