import { verifyActivity } from "#protocol/migration/activity.ts";
import { Challenges as Asked, type Content, Enquiry, Progress, type Terms } from "#protocol/migration/messages.ts";
import type { Verifier } from "#protocol/migration/multikey.ts";
import { sixWords } from "#protocol/migration/words.ts";
import { Problem } from "#protocol/problem.ts";
import type { Engine } from "../engines/engine.ts";
import { type Actor, lookUpActor } from "../peers/actor.ts";
import { verifierOf } from "../peers/keys.ts";
import type { Outside } from "../peers/outside.ts";
import type { Service } from "../services/service.ts";
import type { Challenges } from "./challenges.ts";
import type { Departures } from "./departures.ts";
import type { Matters, Visit } from "./door.ts";
import type { Echo } from "./echo.ts";
import { bytesRoom, type MoveIns } from "./move-ins.ts";
import type { Past } from "./past.ts";
import { other, type Peer, type Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export interface InboxParts {
	readonly sessions: Sessions;
	readonly moveIns: MoveIns;
	readonly departures: Departures;
	readonly challenges: Challenges;
	readonly echo: Echo;
	readonly past: Pick<Past, "suspect">;
	readonly outside: Outside;
	readonly engine: Engine;
	readonly catalogue: readonly Service[];
	/** This node's own. */
	readonly actor: string;
	readonly key: () => Promise<string>;
	readonly provider: { readonly name: string; readonly place: string | null; readonly terms: string | null };
	customerName(customer: string): string;
	manages(domain: string): boolean;
	readonly now: () => number;
}

/** Actors of nodes that have knocked; looked up once in a while. */
const actorsKept = 200;
const actorLife = 10 * 60_000;
/** So often at most, ms, an actor is looked up anew because a signature does not fit its key: it may have a new one. */
const lookAgainAfter = 15_000;

/** In these states the source's volumes may be read by the target. */
const reading = new Set(["agreed", "copying", "frozen", "voted"]);

/** What other nodes may say and ask in a migration, after their request's signature was found to hold. */
export class Inbox {
	readonly #parts: InboxParts;
	readonly #actors = new Map<string, { actor: Actor; at: number }>();

	constructor(parts: InboxParts) {
		this.#parts = parts;
	}

	/** The key that may speak in a session: the one it is bound to or, before the first offer, any node's. Throws `token-used`. */
	async verifierFor(sid: string, keyid: string): Promise<Verifier | undefined> {
		const session = this.#parts.sessions.find(sid);
		if (!session) throw new Problem("token-unknown");
		const { peer } = session.about;
		if (keyid === peer?.keyId) return verifierOf(peer.keyId, peer.key);
		// The customer at a second node has pasted a token that somebody came with already, and should hear just that.
		if (peer && session.side === "target") throw new Problem("token-used");
		if (session.side === "source") return undefined;
		const actor = await this.#actorOf(keyid);
		return keyid === actor.keyId ? verifierOf(actor.keyId, actor.key) : undefined;
	}

	/** Whether the key of a node that is bound to no session yet should be asked for again: what is known of it may be old. */
	doubt(keyid: string): boolean {
		const { now } = this.#parts;
		const origin = URL.parse(keyid)?.origin ?? "";
		const known = this.#actors.get(origin);
		if (!known || now() - known.at < lookAgainAfter) return false;
		return this.#actors.delete(origin);
	}

	readonly matters: Matters = {
		POST: (visit) => this.#hear(visit),
		"POST/enquiry": (visit) => this.#terms(visit),
		"PUT/progress": (visit) => this.#progress(visit),
		"PUT/challenge": (visit) => this.#challenge(visit),
		"GET/heard": (visit) => this.#heard(visit),
		"GET/listings": ({ sid, query }, digest) => this.#reading(sid).listing(sid, digest, query),
		"POST/pieces": ({ sid, body, signal }) => this.#reading(sid).pieces(sid, body, signal),
	};

	async #hear({ sid, keyid, body }: Visit): Promise<undefined> {
		const { sessions, actor, now, past } = this.#parts;
		const session = sessions.known(sid);
		const { peer } = session.about;
		const from = peer ?? (await this.#actorOf(keyid));
		const expected = { sid, said: other(session.side), from: from.actor, to: actor, now: now() };
		const read = await verifyActivity(body.toString("utf8"), expected, verifierOf(from.keyId, from.key));
		const { seq, prev, heard } = read.head;
		const received = { seq, prev, heard, digest: read.digest, document: read.document, message: read.message };
		if (read.message.kind !== "offer" || peer) {
			try {
				return void sessions.hear(sid, received);
			} catch (error) {
				// It may know more of what we have said than we do. It hears first that this was not taken.
				if (error instanceof Problem && /^message-(early|wrong)$/.test(error.code))
					setImmediate(() => void past.suspect(sid));
				throw error;
			}
		}
		const about = await this.#boundTo(session, from as Actor, read.message.content);
		// Another node may have come first meanwhile, or the customer has revoked the token.
		this.#parts.moveIns.admit(sid, from, read.message.content);
		sessions.hear(sid, received, () => sessions.change(sid, { about }));
		if (about.objection) await sessions.callOff(sid, about.objection.detail, about.objection.code);
	}

	/** What the first good offer ties a token to: this node, this deployment, these words. */
	async #boundTo(session: Session, from: Actor, offer: Content<"offer">) {
		const { moveIns, key } = this.#parts;
		moveIns.admit(session.id, from, offer);
		const [problem] = await moveIns.objections(session, from, offer);
		const words = await sixWords({ source: from.key, target: await key(), sid: session.id, domain: offer.domain });
		const { origin, actor, keyId, key: fromKey } = from;
		const door = `${origin}/migrate/${session.id}`;
		const peer: Peer = { origin, actor, keyId, key: fromKey, door, provider: offer.provider, customer: offer.customer };
		const objection = problem && { code: problem.code, detail: problem.message, params: problem.params };
		return { peer, offer, words, ...(objection && { objection }) };
	}

	async #terms({ sid, keyid, body }: Visit): Promise<Terms> {
		const { moveIns, sessions, engine, catalogue, provider, customerName, manages } = this.#parts;
		const { data } = Enquiry.safeParse(json(body));
		if (!data) throw new Problem("not-valid");
		const from = sessions.known(sid).about.peer ?? (await this.#actorOf(keyid));
		const session = moveIns.admit(sid, from, data.offer);
		const problems = await moveIns.objections(session, from, data.offer);
		const versions = await Promise.all(
			data.offer.services.map(async ({ name: service }) => {
				const known = catalogue.find(({ name }) => name === service);
				const ability = known && (await engine.can(known));
				return { service, version: (ability?.can && ability.version) || null };
			}),
		);
		return {
			ok: problems.length === 0,
			problems: problems.map(({ code, params, message: detail }) => ({ code, params, detail })),
			customer: customerName(session.customer),
			...{ provider: provider.name, place: provider.place, terms: provider.terms, versions },
			limits: bytesRoom(session),
			asks: session.about.agreed !== true,
			managesZone: manages(data.offer.domain),
			rate: null,
		};
	}

	/**
	 * What counts here as the other node's last word, as it signed it: one that has lost its memory knows it by that. What it has
	 * forgotten of ours is said again.
	 */
	#heard({ sid, query }: Visit): object {
		const { sessions, past } = this.#parts;
		const { side, about } = sessions.known(sid);
		const { transcript } = sessions;
		const known = query.get("known");
		if (known !== null && !about.past) {
			const isOurs = transcript.repeat(sid, side, known || null);
			if (isOurs) sessions.bell.ring(sid);
			// It has heard what we have forgotten.
			else setImmediate(() => void past.suspect(sid));
		}
		return { heard: transcript.latestDocument(sid, other(side)) ?? null };
	}

	#progress({ sid, body }: Visit): undefined {
		const { data } = Progress.safeParse(json(body));
		if (!data) throw new Problem("not-valid");
		this.#parts.echo.heard(sid, data);
	}

	async #challenge({ sid, body }: Visit): Promise<undefined> {
		const { sessions, challenges } = this.#parts;
		if (sessions.known(sid).side !== "source") throw new Problem("not-found");
		const { data } = Asked.safeParse(json(body));
		if (!data) throw new Problem("not-valid");
		await challenges.set(sid, data);
	}

	/** What leaves here, for the target of a session that is at it. */
	#reading(sid: string): Departures {
		const { side, talk } = this.#parts.sessions.known(sid);
		if (side !== "source" || !reading.has(talk.state)) throw new Problem("not-found");
		return this.#parts.departures;
	}

	async #actorOf(keyid: string): Promise<Actor> {
		const { outside, now } = this.#parts;
		const origin = await outside.origin(keyid);
		const known = this.#actors.get(origin);
		if (known && now() - known.at < actorLife) return known.actor;
		const actor = await lookUpActor(outside, origin);
		if (this.#actors.size >= actorsKept) this.#actors.clear();
		this.#actors.set(origin, { actor, at: now() });
		return actor;
	}
}

function json(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString("utf8"));
	} catch {
		throw new Problem("not-json");
	}
}
