import { getLogger } from "@logtape/logtape";
import { canonical } from "#protocol/migration/canonical.ts";
import { isOver } from "#protocol/migration/conversation.ts";
import type { Message } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { History } from "../deployments/history.ts";
import { hostsOf } from "../deployments/requests.ts";
import type { Domains } from "../domains/domains.ts";
import type { Engine } from "../engines/engine.ts";
import type { Notices } from "../notices/notice.ts";
import type { Calls } from "../peers/calls.ts";
import { verifierOf } from "../peers/keys.ts";
import { other, type Said, type Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** An activity of this node's, as another one has kept it. */
interface Shown extends Pick<Said, "seq" | "digest" | "document"> {
	readonly message: Message;
}

export interface PastParts {
	readonly sessions: Sessions;
	readonly calls: Calls;
	readonly deployments: Deployments;
	readonly history: History;
	readonly notices: Notices;
	readonly engine: Engine;
	readonly domains: Pick<Domains, "reclaim">;
	/** This node's own, by which it knows what it has signed. */
	readonly actor: string;
	readonly signer: () => Promise<{ readonly keyid: string; readonly key: string }>;
	readonly now: () => number;
}

/** How long a node may take to say what it has heard, ms: while services wait for it to start, and later. */
const [hurry, patience] = [3000, 30_000];
/** Bytes of the longest activity there is. */
const longest = 1_200_000;
/** Between two looks at one session because of something odd, ms. */
const seldom = 10_000;

const log = getLogger(["fediversity", "migrations"]);

/**
 * Finds out whether this node has forgotten something, because its data was brought back from a backup: the other node of a
 * migration still has what this one has said and signed. Then it says nothing more but that it is over, and serves only
 * once the domain's record names it in a new epoch, with which whatever it has forgotten comes to nothing.
 */
export class Past {
	readonly #parts: PastParts;
	readonly #lookedAt = new Map<string, number>();
	readonly #sure = new Set<string>();
	/** What was there when this node started. Of what has begun since it can have forgotten nothing. */
	#old: ReadonlySet<string> | undefined;

	constructor(parts: PastParts) {
		this.#parts = parts;
	}

	/** Asks about all migrations under way, before anything is said or served. Waits for nobody for long, and never throws. */
	async recall(): Promise<void> {
		const { sessions } = this.#parts;
		const all = [...sessions.underWay("source"), ...sessions.underWay("target")];
		this.#old = new Set([...all, ...sessions.away()].map(({ id }) => id));
		const asked = all.map((session) => this.sure(session.id, hurry).catch((error) => this.#unknown(session, error)));
		await Promise.all(asked);
		await this.round();
	}

	/** Resolves once it is known that nothing is forgotten of a migration; throws `migration-forgotten`, or that nobody answers. */
	async sure(id: string, within = patience): Promise<void> {
		const session = this.#parts.sessions.known(id);
		if (session.about.past) throw this.#forgotten();
		const isNew = this.#old !== undefined && !this.#old.has(id);
		if (isNew || this.#sure.has(id) || !session.about.peer || isOver(session.side, session.talk.state)) return;
		await this.#look(session, within).catch((error) => {
			// One that knows nothing of the session shows nothing.
			if (!(error instanceof Problem) || !/^(not-found|token-.*)$/.test(error.code)) throw error;
		});
		this.#sure.add(id);
	}

	/** The other node spoke of something that this one does not know. It may lie; what we have signed does not. */
	async suspect(id: string): Promise<void> {
		const { sessions, now } = this.#parts;
		if (now() - (this.#lookedAt.get(id) ?? Number.NEGATIVE_INFINITY) < seldom) return;
		this.#lookedAt.set(id, now());
		const session = sessions.known(id);
		if (!session.about.past && session.about.peer)
			await this.#look(session, patience).catch((error) => this.#unknown(session, error));
	}

	/** Tries again to get the domains of what rests because nobody could set or read their records. */
	async round(): Promise<void> {
		const { sessions } = this.#parts;
		for (const session of [...sessions.underWay("source"), ...sessions.underWay("target")])
			if (session.about.past === "lost" && (session.side === "source" || !session.about.problem))
				await this.#conclude(session);
	}

	async #look(session: Session, within: number): Promise<void> {
		const shown = await this.#shown(session, within);
		const { sessions } = this.#parts;
		if (!shown || sessions.transcript.at(session.id, session.side, shown.seq)?.digest === shown.digest) return;
		log.error(
			"{origin} shows what this node has said in migration {id} and does not know: it was brought back from a backup",
			{
				...{ id: session.id, origin: session.about.peer?.origin },
			},
		);
		await this.#lose(session, shown);
		throw this.#forgotten();
	}

	/** The last that the other node has heard from here, if we have signed it. It hears what we know of it, and says the rest again. */
	async #shown({ id, side, about: { peer } }: Session, within: number): Promise<Shown | undefined> {
		if (!peer) return undefined;
		const { calls, actor, signer } = this.#parts;
		const known = this.#parts.sessions.transcript.latest(id, other(side))?.digest ?? "";
		const path = `${new URL(peer.door).pathname}/heard?known=${known}`;
		const signal = AbortSignal.timeout(within);
		const call = { method: "GET" as const, path, patience: within, most: longest, signal };
		const answer = (await calls.call(peer, call)) as { heard?: object | null } | undefined;
		if (!answer?.heard) return undefined;
		const { verifyActivity } = await import("#protocol/migration/activity.ts");
		const { keyid, key } = await signer();
		const expected = { sid: id, said: side, from: actor, to: peer.actor, now: null };
		const { head, message, document, digest } = await verifyActivity(
			canonical(answer.heard),
			expected,
			verifierOf(keyid, key),
		);
		return { seq: head.seq, digest, document, message };
	}

	/** Goes on from where the other node last heard us, with nothing but the end. */
	async #lose({ id, side }: Session, { seq, digest, document, message }: Shown): Promise<void> {
		const { sessions, now } = this.#parts;
		const said = { side, seq, digest, document, kind: message.kind, content: message.content, at: now() };
		sessions.lose(id, said);
		await this.#conclude(sessions.known(id));
	}

	/** Only once it is clear who serves, whoever is at work on the migration hears that it is over. */
	async #conclude(session: Session): Promise<void> {
		const { sessions } = this.#parts;
		if (session.side === "source") await this.#reclaim(session);
		if (session.about.problem?.code === "migration-forgotten") return;
		const { code, message: detail, params } = this.#forgotten();
		sessions.change(session.id, { about: { problem: { code, detail, params } } });
	}

	/** Nothing serves before the record names this node in the epoch after the one that may have been handed over. */
	async #reclaim({ id, customer, deployment, talk }: Session): Promise<void> {
		const { sessions, deployments, domains, engine } = this.#parts;
		if (deployment === null) return;
		const { plan, domain, state } = deployments.known(deployment);
		if (state !== "serving" && state !== "frozen") return;
		deployments.move(deployment, "frozen");
		if (state === "serving") await engine.apply({ ...plan, mode: "frozen" }, alone());
		try {
			await domains.reclaim(customer, domain, hostsOf(plan), talk.epoch + 1);
		} catch (error) {
			log.warning("{domain} rests: its record cannot be had back: {error}", { domain, error });
			return this.#tell(id, customer, deployment, domain);
		}
		sessions.change(id, { about: { past: "reclaimed" } });
		deployments.move(deployment, "serving");
		await engine.apply({ ...plan, mode: "serving" }, alone());
		log.warning("{domain} serves here again, in epoch {epoch}", { domain, epoch: talk.epoch + 1 });
	}

	/** Once, however often it is tried. */
	#tell(id: string, customer: string, deployment: string, domain: string): void {
		const { sessions, history, notices } = this.#parts;
		const { about } = sessions.known(id);
		const params = { domain, holder: URL.parse(about.peer?.origin ?? "")?.hostname ?? "" };
		if (about.restTold) return;
		sessions.change(id, { about: { restTold: true } });
		history.add(deployment, "served-elsewhere", params);
		const key = `served-elsewhere:${id}:past`;
		notices.tell({ key, customer, kind: "served-elsewhere", params, link: `/d/${domain}` });
	}

	#forgotten(): Problem {
		return new Problem("migration-forgotten", { origin: new URL(this.#parts.actor).origin });
	}

	#unknown({ id, about: { peer } }: Session, error: unknown): void {
		if (error instanceof Problem && error.code === "migration-forgotten") return;
		log.info("{origin} does not say what it has heard in migration {id}: {error}", { origin: peer?.origin, id, error });
	}
}

/** For work that belongs to no job. */
function alone() {
	return { signal: AbortSignal.timeout(60_000), progress() {}, log() {} };
}
