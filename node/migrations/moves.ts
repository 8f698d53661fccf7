import type { z } from "zod";
import type { MovePlan } from "#protocol/api/migration.ts";
import { type Content, Terms } from "#protocol/migration/messages.ts";
import { thumbprint } from "#protocol/migration/multikey.ts";
import { parseToken, proofFor, type Token } from "#protocol/migration/token.ts";
import { Problem } from "#protocol/problem.ts";
import type { Customer } from "../customers/customer.ts";
import type { Deployment } from "../deployments/deployment.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { History } from "../deployments/history.ts";
import type { Engine } from "../engines/engine.ts";
import { type Actor, lookUpActor } from "../peers/actor.ts";
import type { Calls } from "../peers/calls.ts";
import type { Outside } from "../peers/outside.ts";
import type { Service } from "../services/service.ts";
import type { Database } from "../store/database.ts";
import type { Peer } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export interface MoveParts {
	readonly db: Database;
	readonly sessions: Sessions;
	readonly deployments: Deployments;
	readonly history: History;
	readonly engine: Engine;
	readonly catalogue: readonly Service[];
	readonly outside: Outside;
	readonly calls: Calls;
	readonly provider: string;
	readonly actor: string;
	readonly key: () => Promise<string>;
	/** Tokens may lead to http addresses on this machine: for the demo and tests. */
	readonly insecure: boolean;
	readonly keepDays: number;
	/** The epoch in which this node serves a domain. */
	epochOf(customer: string, domain: string): number;
	manages(domain: string): boolean;
	checkPassword(email: string, password: string): Promise<unknown>;
	/** Throws `node-blocked` and `node-key-changed` for nodes to which nobody may move from here. */
	checkTarget(to: Actor): void;
	/** A node that a token led to has answered as it must. */
	met(node: Actor): void;
	startJob(kind: string, input: object, about: { deployment: string; customer: string }): string;
}

/** A guess where nothing has been measured yet: bytes a second between two nodes. */
const usualRate = 20 * 1024 * 1024;

interface Prepared {
	readonly token: Token;
	readonly actor: Actor;
	readonly offer: Content<"offer">;
	readonly terms: Terms;
	readonly words: readonly string[];
}

/** What a customer does at the old provider: look at what a token would mean, and move. */
export class Moves {
	readonly #parts: MoveParts;

	constructor(parts: MoveParts) {
		this.#parts = parts;
	}

	/** What would happen. Asks the other node and changes nothing on either. Throws the `token-*` and `node-*` problems. */
	async plan(customer: Customer, id: string, pasted: string): Promise<z.infer<typeof MovePlan>> {
		const deployment = this.#serving(customer, id);
		const { actor, offer, terms, words } = await this.#prepare(customer, deployment, pasted);
		const { catalogue, manages, keepDays, met } = this.#parts;
		met(actor);
		const sizes = offer.services.map(sizeOf);
		const bytes = sizes.some((size) => size === null) ? null : sumOf(sizes);
		const seconds = Math.round(20 + (bytes ?? 0) / (terms.rate ?? usualRate));
		return {
			to: {
				origin: actor.origin,
				provider: terms.provider,
				customer: terms.customer,
				place: terms.place,
				terms: terms.terms,
			},
			words: [...words],
			asks: terms.asks,
			services: offer.services.map(({ name, version }, n) => ({
				...{ name, title: catalogue.find((service) => service.name === name)?.title ?? name, here: version },
				...{ there: terms.versions.find(({ service }) => service === name)?.version ?? null, bytes: sizes[n] ?? null },
			})),
			...{ bytes, room: terms.limits.bytes, problems: terms.problems, seconds, keepDays },
			records: manages(deployment.domain) ? "here" : terms.managesZone ? "there" : "you",
			freezeSeconds: Math.round(8 + Math.min(30, (bytes ?? 0) / usualRate / 10)),
		};
	}

	/** Begins the move. Wants the password again and the domain typed; throws what stands against it. */
	async move(customer: Customer, id: string, wish: { token: string; domain: string; password: string }) {
		const { sessions, deployments, history, db, startJob, keepDays, checkPassword } = this.#parts;
		const deployment = this.#serving(customer, id);
		await checkPassword(customer.email, wish.password);
		if (wish.domain.trim().toLowerCase() !== deployment.domain)
			throw new Problem("confirmation-wrong", { domain: deployment.domain });
		const { token, actor, offer, terms, words } = await this.#prepare(customer, deployment, wish.token);
		const [problem] = terms.problems;
		if (problem) throw new Problem("migration-refused", { provider: terms.provider, reason: problem.detail });
		const peer: Peer = {
			...{ origin: actor.origin, actor: actor.actor, keyId: actor.keyId, key: actor.key },
			...{ door: `${token.origin}/migrate/${token.sid}`, provider: terms.provider, customer: terms.customer },
		};
		return db.transaction(() => {
			if (sessions.find(token.sid)) throw new Problem("token-used");
			const { plan } = deployments.get(customer.id, id);
			const about = { peer, offer, words, keepDays };
			sessions.open({
				id: token.sid,
				side: "source",
				customer: customer.id,
				about,
				domain: plan.domain,
				deployment: id,
			});
			const job = startJob("leave", { plan, migration: token.sid }, { deployment: id, customer: customer.id });
			history.add(id, "leave-asked", { provider: terms.provider }, job);
			sessions.change(token.sid, { job });
			return { deployment: id, job };
		});
	}

	async #prepare(customer: Customer, deployment: Deployment, pasted: string): Promise<Prepared> {
		const { outside, calls, key, insecure, checkTarget } = this.#parts;
		const token = parseToken(pasted, { insecure });
		const actor = await lookUpActor(outside, await outside.origin(token.origin));
		if (thumbprint(actor.key) !== token.thumbprint)
			throw new Problem("node-unfit", { origin: token.origin, reason: "its key is not the one the token stands for" });
		checkTarget(actor);
		const offer = await this.#offer(customer, deployment, token);
		const said = await calls.call(actor, { method: "POST", path: `/migrate/${token.sid}/enquiry`, body: { offer } });
		const { data: terms } = Terms.safeParse(said);
		if (!terms) throw new Problem("node-unfit", { origin: actor.origin, reason: "its terms make no sense" });
		const { sixWords } = await import("#protocol/migration/words.ts");
		const words = await sixWords({ source: await key(), target: actor.key, sid: token.sid, domain: offer.domain });
		return { token, actor, offer, terms, words };
	}

	async #offer(customer: Customer, { plan, domain, id }: Deployment, token: Token): Promise<Content<"offer">> {
		const { deployments, engine, catalogue, provider, actor, epochOf, manages, keepDays } = this.#parts;
		const sightings = deployments.sightings(id);
		const services = await Promise.all(
			plan.services.map(async ({ name, hosts }) => {
				const service = catalogue.find((one) => one.name === name);
				const ability = service ? await engine.can(service) : undefined;
				const size = sightings.find((seen) => seen.service === name)?.sizeBytes ?? null;
				const volumes = (service?.volumes ?? []).map(({ name, kind }, n) => ({
					name,
					kind,
					bytes: n === 0 ? size : null,
				}));
				return { name, version: (ability?.can && ability.version) || null, hosts: [...hosts], volumes };
			}),
		);
		const [first] = plan.services;
		if (!first) throw new Problem("services-empty");
		return {
			...{
				domain,
				services,
				owner: first.owner,
				epoch: epochOf(customer.id, domain),
				managesZone: manages(domain),
				keepDays,
				customer: customer.name,
				provider,
			},
			proof: proofFor(token.secret, { sid: token.sid, actor, domain }),
		};
	}

	#serving(customer: Customer, id: string): Deployment {
		const deployment = this.#parts.deployments.get(customer.id, id);
		if (deployment.state !== "serving") throw new Problem("deployment-state", { state: deployment.state });
		return deployment;
	}
}

/** What was seen of a service is its folders; how much is in its database or bucket is not known before it is listed. */
export function sizeOf({ volumes }: Pick<Content<"offer">["services"][number], "volumes">): number | null {
	const all = volumes.every(({ kind }) => kind !== "postgres" && kind !== "bucket");
	return all ? sumOf(volumes.map(({ bytes }) => bytes)) : null;
}

function sumOf(bytes: readonly (number | null)[]): number | null {
	const known = bytes.filter((one) => one !== null);
	return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
}
