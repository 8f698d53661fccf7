import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { expire } from "#protocol/migration/conversation.ts";
import type { Content, Message } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { ChallengePlace } from "../certificates/certificate.ts";
import type { Certificates } from "../certificates/certificates.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { History } from "../deployments/history.ts";
import { hostsOf } from "../deployments/requests.ts";
import type { Domains } from "../domains/domains.ts";
import { ownershipIn, ownershipName } from "../domains/records.ts";
import type { Engine, Plan } from "../engines/engine.ts";
import { identityIn } from "../federation/identity.ts";
import { lazily } from "../lazily.ts";
import type { Notices } from "../notices/notice.ts";
import { Calls } from "../peers/calls.ts";
import { signerOf } from "../peers/keys.ts";
import { Outside } from "../peers/outside.ts";
import { looksPublic } from "../peers/public-address.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Database } from "../store/database.ts";
import type { Elsewhere } from "../volumes/volume.ts";
import { Arrivals } from "./arrivals.ts";
import type { ArriveTools } from "./arrive.ts";
import { Challenges, placeAtSource } from "./challenges.ts";
import { Courier } from "./courier.ts";
import { Departures } from "./departures.ts";
import { Echo } from "./echo.ts";
import { Forwarding } from "./forwarding.ts";
import type { LeaveTools } from "./leave.ts";
import { Past } from "./past.ts";
import type { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import type { Links } from "./transcript.ts";

export interface MigrationParts {
	readonly db: Database;
	readonly vault: Vault;
	readonly engine: Engine;
	readonly domains: Domains;
	readonly deployments: Deployments;
	readonly now: () => number;
	/** The panel's. */
	readonly origin: string;
	/** Where requests for services come in that other nodes hand on. */
	readonly front: string;
	readonly provider: string;
	/** How volumes on other machines are reached. */
	readonly elsewhere?: Elsewhere;
	/** For what must lie on the same disk as the services. */
	readonly folder: string;
	/** Lets other nodes be on this machine: for the demo and tests. */
	readonly insecure: boolean;
	readonly freezeSeconds: number;
	readonly keepDays: number;
	customerName(customer: string): string;
	limits(session: Session): { bytes: number; entries: number };
	readonly notices: Notices;
	readonly history: History;
	/** Where challenges of certificate authorities can be set for a domain here; undefined: nowhere. */
	challengePlace(domain: string): ChallengePlace | undefined;
	/** Gets certificates; `required`: nobody in front of this node has any. */
	readonly certificates: Pick<Certificates, "order" | "isOn"> & { readonly required: boolean };
	/** Erases a deployment whose copy is needed no more. */
	erase(deployment: string): void;
}

const day = 86_400_000;
const log = getLogger(["fediversity", "migrations"]);

/** The target serves, or did when this ended. */
const overThere: ReadonlySet<string> = new Set(["done", "erased", "active", "closed"]);

export type Migrations = ReturnType<typeof openMigrations>;

/** Everything that moves deployments between this node and others. Nothing runs before `start`. */
export function openMigrations(parts: MigrationParts) {
	const { db, vault, engine, domains, deployments, now, origin, insecure, elsewhere } = parts;
	const actor = `${origin}/actor`;
	const signer = lazily(async () => signerOf(await identityIn(vault), actor));
	const outside = new Outside(insecure);
	const calls = new Calls({ outside, signer, now });
	const sessions = new Sessions({ db, now, write: (...said) => write(...said) });
	const folder = join(parts.folder, "migrations");
	const planOf = (deployment: string) => deployments.known(deployment).plan;
	const departures = new Departures({ engine, sessions, folder, planOf, elsewhere });
	const arrivals = new Arrivals({
		...{ engine, sessions, calls, vault, folder, elsewhere },
		formerPlan: (domain) => formerOf(domain)?.plan,
		limits: (migration) => parts.limits(sessions.known(migration)),
	});
	const echo = new Echo(sessions, calls);
	const challenges = new Challenges(db, sessions, (domain) => parts.challengePlace(domain));
	const past = new Past({
		...{ sessions, calls, deployments, engine, domains, actor, signer, now },
		...{ history: parts.history, notices: parts.notices },
	});
	const courier = new Courier({
		...{ sessions, calls },
		sure: (id) => past.sure(id),
		suspect: (id) => past.suspect(id),
	});
	const forwarding = new Forwarding(sessions, deployments);

	/** A message of ours as an activity, signed. Its code is loaded when first something is said. */
	async function write(session: Session, links: Links, message: Message) {
		const { signActivity } = await import("#protocol/migration/activity.ts");
		const to = session.about.peer?.actor;
		if (!to) throw new Error(`${session.id} has nobody to speak to`);
		const published = Math.floor(now() / 1000) * 1000;
		return signActivity({ sid: session.id, ...links, from: actor, to, published }, message, await signer());
	}

	function formerOf(domain: string) {
		return deployments.inState("moved").find((deployment) => deployment.domain === domain);
	}

	const tools: LeaveTools & ArriveTools = {
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

	/** The target serves: from the moment this is written down, requests are handed on to it. */
	function moved(session: Session): void {
		if (session.deployment === null) return;
		const keptUntil = now() + (session.about.keepDays ?? parts.keepDays) * day;
		deployments.move(session.deployment, "moved", keptUntil);
		sessions.change(session.id, { handedAt: now() });
		queueMicrotask(() => forwarding.look());
	}

	sessions.onHear((session, { kind }) => {
		if (session.side === "source" && kind === "active") moved(session);
		if (session.side === "target" && kind === "erased") sessions.change(session.id, { erasedAt: now() });
	});
	sessions.onHear((session, message) => {
		if (session.side !== "source" || message.kind !== "accept") return;
		checkRecords(session, message.content);
		const front = new URL(message.content.front);
		// A name is looked up each time it is used, by one who takes only public addresses.
		if (!insecure && (front.protocol !== "https:" || !looksPublic(front.hostname)))
			throw new Problem("node-address", { origin: front.origin });
	});

	/** Says of copies that are gone that they are, ends what was left half done, and drops tokens nobody used. */
	async function round(): Promise<void> {
		await challenges.round().catch((error) => log.warning("Challenges still stand: {error}", { error }));
		await past.round();
		for (const { id, deployment } of sessions.away()) {
			if (deployment === null || deployments.known(deployment).state !== "gone") continue;
			const { volumes } = sessions.last(id, "source", "manifest") ?? { volumes: [] };
			const sum = (of: "entries" | "bytes") => volumes.reduce((total, one) => total + one[of], 0);
			const content = { at: now(), entries: sum("entries"), bytes: sum("bytes") };
			await sessions.say(id, { kind: "erased", content }, () => sessions.change(id, { erasedAt: now() }));
		}
		for (const session of [...sessions.underWay("source"), ...sessions.underWay("target")]) await endSilent(session);
		for (const { id, about, talk } of sessions.underWay("target"))
			if (talk.state === "asked" && about.objection)
				await sessions.callOff(id, about.objection.detail, about.objection.code);
	}

	/**
	 * The deployments whose copy here may be the last one: its time is over, and their services do not answer at the node that
	 * said it serves them. After twice the time nobody waits for that any more.
	 */
	async function unserved(): Promise<Set<string>> {
		const found = new Set<string>();
		for (const { id, deployment, about } of sessions.away()) {
			const accept = sessions.last(id, "target", "accept");
			if (deployment === null || !accept) continue;
			const { state, plan, domain, keptUntil } = deployments.known(deployment);
			const longest = (keptUntil ?? 0) + (about.keepDays ?? parts.keepDays) * day;
			if (state !== "moved" || keptUntil === null || keptUntil > now() || longest <= now()) continue;
			const silent = await probe(outside, plan, accept, AbortSignal.timeout(10_000)).catch((error: unknown) => ({
				error,
			}));
			if (!silent) continue;
			found.add(deployment);
			log.warning("The copy of {domain} is kept on: {error}", { domain, ...silent });
		}
		return found;
	}

	/** A place is kept free for a day after the last word; then the side that may still do so calls the migration off. */
	async function endSilent(session: Session): Promise<void> {
		const { id, side, talk, job } = session;
		if (job === null || !expire("reservation", side, talk.state)) return;
		const said = sessions.transcript.lastAt(id) ?? session.createdAt;
		if (now() - said > day) await sessions.callOff(id, "nothing was heard for a day", "silent");
	}

	/** Who the other provider is, and until when a copy is kept: for notices and history. */
	function sentenceParts(deployment: string): Record<string, string> {
		const session = sessions.ofDeployment(deployment);
		const keptUntil = deployments.known(deployment).keptUntil;
		return {
			provider: session?.about.peer?.provider ?? "",
			...(keptUntil !== null && { date: new Date(keptUntil).toISOString().slice(0, 10) }),
		};
	}

	/** The migration at work on a deployment, or the last one, and where that led or came from once it is through. */
	function seen(deployment: string) {
		const session = sessions.ofDeployment(deployment);
		if (!session || session.job === null) return undefined;
		const { peer } = session.about;
		const through = overThere.has(session.talk.state);
		const moved =
			through && peer ? { to: session.side === "source", origin: peer.origin, provider: peer.provider } : null;
		return { id: session.id, moved };
	}

	return {
		...{
			seen,
			sentenceParts,
			actor,
			signer,
			outside,
			calls,
			sessions,
			departures,
			challenges,
			echo,
			past,
			forwarding,
			tools,
			round,
			unserved,
		},
		key: async () => (await signer()).key,
		start() {
			forwarding.look();
			courier.start();
		},
		async close() {
			await courier.close();
			forwarding.flush();
			await Promise.all([departures.close(), arrivals.close(), outside.close()]);
			sessions.bell.close();
		},
	};
}

/** The other node may have records set for its own hosts of this domain, and for nothing else. */
function checkRecords({ about, domain }: Session, { records }: Content<"accept">): void {
	const hosts = new Set(about.offer?.services.flatMap((service) => service.hosts));
	const isFine = ({ type, name, value }: (typeof records)[number]) => {
		if (type !== "TXT") return hosts.has(name);
		const ownership = ownershipIn(value);
		if (name !== ownershipName(domain ?? "") || !ownership) return false;
		return ownership.actor === about.peer?.actor && ownership.epoch === (about.offer?.epoch ?? 0) + 1;
	};
	const strange = records.find((record) => !isFine(record));
	if (strange) throw new Problem("message-wrong", { kind: `record for ${strange.name}`, state: "offered" });
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

async function probe(outside: Outside, { services }: Plan, { front }: Content<"accept">, signal: AbortSignal) {
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

/** What goes on by itself is waited for no longer than `signal` lets us. */
function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal.aborted) reject(signal.reason);
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
		work.then(resolve, reject);
	});
}
