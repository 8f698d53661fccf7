import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { Content } from "#protocol/migration/messages.ts";
import { newToken, printToken, proofFits, secretHash } from "#protocol/migration/token.ts";
import { Problem } from "#protocol/problem.ts";
import type { Customer } from "../customers/customer.ts";
import type { Entitlement } from "../customers/entitlements.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { History } from "../deployments/history.ts";
import { chosen, planOf } from "../deployments/plan.ts";
import type { Ownership } from "../domains/records.ts";
import type { Engine, Plan } from "../engines/engine.ts";
import type { Notices } from "../notices/notice.ts";
import { isOlder } from "../peers/fitting.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Service } from "../services/service.ts";
import type { Database } from "../store/database.ts";
import type { Peer, Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export interface MoveInParts {
	readonly db: Database;
	readonly sessions: Sessions;
	readonly deployments: Deployments;
	readonly history: History;
	readonly notices: Notices;
	readonly engine: Engine;
	readonly vault: Vault;
	readonly catalogue: readonly Service[];
	readonly now: () => number;
	/** The panel's, and the node's public key as a multikey. */
	readonly origin: string;
	readonly key: () => Promise<string>;
	readonly originOf: (host: string) => string;
	/** What the customer may move in with. */
	entitlements(customer: string): readonly Entitlement[];
	release(deployment: string): void;
	claim(customer: string, deployment: string, services: readonly string[], entitlement?: string): void;
	/** Throws the `domain-*` problems for a name that can be nobody's. */
	checkDomain(text: string): string;
	/** Which node serves a domain, as its DNS says. */
	serving(domain: string): Promise<Ownership | undefined>;
	startJob(kind: string, input: object, about: { deployment: string; customer: string }): string;
	/** Throws `node-not-accepted` and its like for what this provider does not take from a node. */
	checkAccepted(from: Pick<Peer, "origin" | "key">, migration: string, offer: Content<"offer">): void;
	/** Whether this node gets certificates itself. */
	readonly certificates: boolean;
	/** Whether staff decides on each offer. */
	readonly byHand: boolean;
	/** The accounts that are staff's. */
	staff(): readonly string[];
}

const log = getLogger(["fediversity", "migrations"]);

/** How long a token may wait to be pasted, ms. */
const tokenLife = 60 * 60_000;
/** So many tokens of one customer may wait at a time. */
const mostWaiting = 20;
const MiB = 1024 * 1024;
/** More things in a deployment than anybody here has; the other node must not fill our disk with empty files. */
const mostEntries = 20_000_000;

/** What a customer does at the new provider: make a token, and let in what comes with it. */
export class MoveIns {
	readonly #parts: MoveInParts;

	constructor(parts: MoveInParts) {
		this.#parts = parts;
	}

	/** A token of the customer's; it is told this once. Throws `voucher-needed` when there is nothing to move in to. */
	async make(
		customer: Customer,
		wish: { domain?: string | undefined; entitlement?: string | undefined },
	): Promise<{ session: Session; token: string }> {
		const { sessions, origin, key, vault, now, checkDomain } = this.#parts;
		const domain = wish.domain === undefined ? null : checkDomain(wish.domain);
		const waiting = sessions
			.underWay("target")
			.filter(({ customer: whose, talk }) => whose === customer.id && talk.state === "issued");
		if (waiting.length >= mostWaiting) throw new Problem("too-many", { seconds: 3600 });
		const promised = new Set(waiting.map(({ about }) => about.wish?.entitlement));
		const entitlement = this.#entitlement(customer.id, wish.entitlement, promised);
		const token = newToken(origin, await key());
		const { newSealPair } = await import("#protocol/migration/seal.ts");
		const pair = await newSealPair();
		await vault.put(sealName(token.sid), pair.privateKey);
		const session = sessions.open({
			...{ id: token.sid, side: "target", customer: customer.id, domain, expiresAt: now() + tokenLife },
			tokenHash: secretHash(token.secret),
			about: {
				wish: { domain, entitlement: entitlement.id, services: entitlement.services, diskMiB: entitlement.diskMiB },
				sealTo: pair.publicKey,
				agreed: domain !== null,
			},
		});
		return { session, token: printToken(token) };
	}

	/** Ends a token that nobody has used; a second time changes nothing. Throws `token-used` once something came with it. */
	async revoke(customer: string, id: string): Promise<void> {
		const { sessions, vault, now } = this.#parts;
		const session = this.#target(customer, id);
		if (session.revokedAt !== null) return;
		if (session.talk.state !== "issued") throw new Problem("token-used");
		await sessions.callOff(id, "revoked");
		sessions.change(id, { revokedAt: now() });
		await vault.remove(sealName(id));
	}

	/** Lets in what was offered; a second time changes nothing. */
	agree(customer: string, id: string): Session {
		const { db, sessions } = this.#parts;
		db.transaction(() => {
			const session = this.#target(customer, id);
			if (session.talk.state !== "asked" || session.job !== null) return sessions.checkOpen(session);
			sessions.change(id, { about: { agreed: true } });
			this.#beginOnceWanted(id);
		});
		return sessions.known(id);
	}

	/** Offers that staff has not decided on. */
	undecided(): Session[] {
		const { sessions, byHand } = this.#parts;
		if (!byHand) return [];
		const asked = sessions.underWay("target").filter(({ talk, job }) => talk.state === "asked" && job === null);
		return asked.filter(({ about }) => about.offer && !about.letIn && !about.objection);
	}

	/** Staff lets an offer in; it begins once its customer has agreed as well. Throws `not-found` for one that does not wait. */
	letIn(id: string): void {
		const { db, sessions } = this.#parts;
		db.transaction(() => {
			this.#checkUndecided(id);
			sessions.change(id, { about: { letIn: true } });
			this.#beginOnceWanted(id);
		});
	}

	/** Staff refuses an offer. Throws `not-found` for one that does not wait. */
	async turnAway(id: string): Promise<void> {
		this.#checkUndecided(id);
		await this.#parts.sessions.callOff(id, "the provider there said no", "declined");
	}

	#checkUndecided(id: string): void {
		if (!this.undecided().some((one) => one.id === id)) throw new Problem("not-found");
	}

	async refuse(customer: string, id: string): Promise<Session> {
		const { sessions } = this.#parts;
		const session = this.#target(customer, id);
		if (session.job !== null || session.talk.state !== "asked") throw new Problem("migration-over");
		await sessions.callOff(id, "the customer there said no", "declined");
		return sessions.known(id);
	}

	/** Ends tokens that have waited too long. */
	async expire(): Promise<void> {
		const { sessions, now } = this.#parts;
		for (const { id, expiresAt, talk } of sessions.underWay("target"))
			if (talk.state === "issued" && expiresAt !== null && expiresAt <= now()) await sessions.callOff(id, "expired");
	}

	/**
	 * Whether an offer may be made with this token, by this node: throws the `token-*` problems and `node-not-accepted`.
	 * What it would mean is the business of `objections`.
	 */
	admit(id: string, peer: Pick<Peer, "origin" | "actor" | "key">, offer: Content<"offer">): Session {
		const { sessions, now, checkAccepted, origin } = this.#parts;
		const session = sessions.find(id);
		const hash = sessions.tokenHash(id);
		if (session?.side !== "target" || !hash) throw new Problem("token-unknown");
		const { about, talk, expiresAt, revokedAt } = session;
		if (about.peer && about.peer.key !== peer.key) throw new Problem("token-used");
		if (!proofFits(offer.proof, hash, { sid: id, actor: peer.actor, domain: offer.domain }))
			throw new Problem("token-unknown");
		if (revokedAt !== null) throw new Problem("token-unknown");
		const isLate = expiresAt !== null && expiresAt <= now();
		if (talk.state === "dropped" || (talk.state === "issued" && isLate)) throw new Problem("token-expired");
		if (about.wish?.domain && about.wish.domain !== offer.domain)
			throw new Problem("token-other-domain", { domain: about.wish.domain });
		if (peer.origin === origin) throw new Problem("node-not-accepted", { origin });
		checkAccepted(peer, id, offer);
		return session;
	}

	/** What stands against an offer, each as a problem its customer can act on. */
	async objections(
		session: Session,
		peer: Pick<Peer, "actor" | "origin">,
		offer: Content<"offer">,
	): Promise<Problem[]> {
		const { deployments, engine, serving, checkDomain } = this.#parts;
		const found: Problem[] = [];
		const tried = async (work: () => unknown) => {
			try {
				await work();
			} catch (error) {
				if (!(error instanceof Problem)) throw error;
				found.push(error);
			}
		};
		await tried(() => {
			// In another spelling it would be another domain to whoever looks for it.
			if (checkDomain(offer.domain) !== offer.domain) throw new Problem("domain-not-valid", { domain: offer.domain });
		});
		await tried(() => {
			const at = deployments.at(offer.domain);
			if (at && at.state !== "moved") throw new Problem("domain-taken", { domain: offer.domain });
		});
		await tried(async () => {
			const holder = await serving(offer.domain);
			if (holder?.actor !== peer.actor || holder.epoch !== offer.epoch)
				throw new Problem("domain-elsewhere", {
					domain: offer.domain,
					holder: holder ? new URL(holder.actor).hostname : "nobody",
				});
		});
		await tried(async () => {
			for (const service of this.#services(offer)) {
				const ability = await engine.can(service);
				if (!ability.can) throw new Problem("service-unavailable", { service: service.title, reason: ability.why });
				checkVersion(service, ability.version, offer, this.#parts.origin);
			}
		});
		await tried(() => {
			const { diskMiB, services } = session.about.wish ?? {};
			const lacking = offer.services.find(({ name }) => services && services.length > 0 && !services.includes(name));
			if (lacking) throw new Problem("voucher-lacks", { service: lacking.name });
			if (session.job === null && !this.#place(session, offer.domain)) throw new Problem("voucher-needed");
			const bytes = bytesOf(offer);
			if (diskMiB !== undefined && bytes > diskMiB * MiB)
				throw new Problem("migration-too-large", { what: `${Math.ceil(bytes / MiB)} MiB`, limit: `${diskMiB} MiB` });
		});
		return found;
	}

	/** Draws an offer's conclusions, in the transaction that writes it down: either the work begins or the customer is asked. */
	offered(session: Session): void {
		const { sessions, notices } = this.#parts;
		const { id, about, customer } = session;
		if (!about.offer || about.objection) return;
		sessions.change(id, { domain: about.offer.domain });
		if (this.#parts.byHand) {
			this.#tellStaff(session);
			log.warning("{domain} wants to move in from {origin} and waits for staff: fediversity move accept {id}", {
				...{ id, domain: about.offer.domain, origin: about.peer?.origin },
			});
		}
		if (about.agreed) this.#beginOnceWanted(id);
		else
			notices.tell({
				...{ key: `move-asked:${id}`, customer, kind: "move-asked", link: "/move-in" },
				params: { domain: about.offer.domain, provider: about.peer?.provider ?? "" },
			});
	}

	/** Each account of staff's once an offer, by mail where the node sends any. */
	#tellStaff({ id, about }: Session): void {
		const { notices, staff } = this.#parts;
		const params = { domain: about.offer?.domain ?? "", provider: about.peer?.provider ?? "" };
		for (const customer of staff())
			notices.tell({
				...{ key: `move-waits:${id}:${customer}`, customer, kind: "move-waits", params },
				link: "/provider/moves",
			});
	}

	/** Its customer must want it and, where staff decides on each, staff as well. */
	#beginOnceWanted(id: string): void {
		const session = this.#parts.sessions.known(id);
		const { agreed, letIn } = session.about;
		if (agreed && (letIn || !this.#parts.byHand)) this.#begin(session);
	}

	#begin(session: Session): void {
		const { id, about, customer } = session;
		const { sessions, deployments, history, startJob, claim, release } = this.#parts;
		if (!about.offer) return;
		const plan = this.#plan(about.offer);
		const place = this.#place(session, plan.domain)?.id;
		const former = deployments.at(plan.domain);
		// What comes back takes the place it had.
		if (former?.state === "moved" && former.customer === customer) release(former.id);
		deployments.add(plan, customer, "arriving");
		claim(
			customer,
			plan.deployment,
			plan.services.map(({ name }) => name),
			place,
		);
		const input = { plan, migration: id, certificate: this.#parts.certificates };
		const job = startJob("arrive", input, { deployment: plan.deployment, customer });
		history.add(plan.deployment, "arrive-asked", { provider: about.peer?.provider ?? "" }, job);
		sessions.change(id, { deployment: plan.deployment, job });
	}

	/** Only names and choices come from the other node; everything else is as this node would have it. */
	#plan({ domain, owner, services }: Content<"offer">): Plan {
		const { catalogue, originOf } = this.#parts;
		const names = services.map(({ name }) => name);
		const wish = { deployment: randomUUID(), domain, services: names, owner };
		return planOf(wish, chosen(names, catalogue), originOf);
	}

	#services({ services }: Content<"offer">): Service[] {
		return chosen(
			services.map(({ name }) => name),
			this.#parts.catalogue,
		);
	}

	/** The wished one, or one that no other token of the customer's stands for, if there is. */
	#entitlement(customer: string, wished: string | undefined, promised: ReadonlySet<unknown>): Entitlement {
		const free = this.#parts.entitlements(customer).filter(({ id }) => wished === undefined || id === wished);
		const chosen = free.find(({ id }) => !promised.has(id)) ?? free[0];
		if (!chosen) throw new Problem("voucher-needed");
		return chosen;
	}

	/** What the token stands for or, once that is used otherwise, as much; undefined: there is nothing free. */
	#place({ customer, about: { wish } }: Session, domain: string): Entitlement | undefined {
		const former = this.#parts.deployments.at(domain);
		const free = this.#parts.entitlements(customer).filter(({ deployment }) => {
			return deployment === null || (former?.state === "moved" && deployment === former.id);
		});
		const asMuch = ({ diskMiB, services }: Entitlement) =>
			diskMiB >= (wish?.diskMiB ?? 0) && String(services) === String(wish?.services ?? []);
		return free.find(({ id }) => id === wish?.entitlement) ?? free.find(asMuch);
	}

	#target(customer: string, id: string): Session {
		const session = this.#parts.sessions.get(customer, id);
		if (session.side !== "target") throw new Problem("not-found");
		return session;
	}
}

/** Where the private half of a session's keys lies in the vault. */
export const sealName = (migration: string) => `migrations/${migration}/seal`;

export function bytesOf({ services }: Content<"offer">): number {
	return services.flatMap(({ volumes }) => volumes).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}

/** What a place at this node is good for, in numbers. */
export function bytesRoom({ about }: Session): { bytes: number; entries: number } {
	return { bytes: (about.wish?.diskMiB ?? 0) * MiB, entries: mostEntries };
}

/** Programs take the state of those before them, and not of those after. Versions that are not told are not compared. */
function checkVersion(
	{ name, title }: Service,
	there: string | undefined,
	{ services }: Content<"offer">,
	origin: string,
): void {
	const here = services.find((one) => one.name === name)?.version ?? undefined;
	if (there === undefined || here === undefined || !isOlder(there, here)) return;
	throw new Problem("provider-older", { provider: new URL(origin).hostname, service: title, there, here });
}
