import { getLogger } from "@logtape/logtape";
import { expire } from "#protocol/migration/conversation.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Outside } from "../peers/outside.ts";
import type { Challenges } from "./challenges.ts";
import type { Past } from "./past.ts";
import { probe } from "./probe.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

export interface UpkeepParts {
	readonly sessions: Sessions;
	readonly deployments: Deployments;
	readonly challenges: Challenges;
	readonly past: Past;
	readonly outside: Outside;
	readonly now: () => number;
	readonly keepDays: number;
}

const day = 86_400_000;
const log = getLogger(["fediversity", "migrations"]);

/** What migrations need when nobody works on them. */
export class Upkeep {
	readonly #parts: UpkeepParts;

	constructor(parts: UpkeepParts) {
		this.#parts = parts;
	}

	/** Says of copies that are gone that they are, ends what was left half done, and drops tokens nobody used. */
	async round(): Promise<void> {
		const { sessions, challenges, past } = this.#parts;
		await challenges.round().catch((error) => log.warning("Challenges still stand: {error}", { error }));
		await past.round();
		for (const session of sessions.away()) await this.#tellErased(session);
		for (const session of [...sessions.underWay("source"), ...sessions.underWay("target")])
			await this.#endSilent(session);
		for (const { id, about, talk } of sessions.underWay("target"))
			if (talk.state === "asked" && about.objection)
				await sessions.callOff(id, about.objection.detail, about.objection.code);
	}

	/**
	 * The deployments whose copy here may be the last one: its time is over, and their services do not answer at the node that
	 * said it serves them. After twice the time nobody waits for that any more.
	 */
	async unserved(): Promise<Set<string>> {
		const found = new Set<string>();
		for (const session of this.#parts.sessions.away())
			if (session.deployment !== null && (await this.#isUnserved(session, session.deployment)))
				found.add(session.deployment);
		return found;
	}

	async #isUnserved({ id, about }: Session, deployment: string): Promise<boolean> {
		const { sessions, deployments, outside, now, keepDays } = this.#parts;
		const accept = sessions.last(id, "target", "accept");
		const { state, plan, domain, keptUntil } = deployments.known(deployment);
		if (!accept || state !== "moved" || keptUntil === null) return false;
		const longest = keptUntil + (about.keepDays ?? keepDays) * day;
		if (keptUntil > now() || longest <= now()) return false;
		try {
			await probe(outside, plan, accept, AbortSignal.timeout(10_000));
			return false;
		} catch (error) {
			log.warning("The copy of {domain} is kept on: {error}", { domain, error });
			return true;
		}
	}

	async #tellErased({ id, deployment }: Session): Promise<void> {
		const { sessions, deployments, now } = this.#parts;
		if (deployment === null || deployments.known(deployment).state !== "gone") return;
		const { volumes } = sessions.last(id, "source", "manifest") ?? { volumes: [] };
		const sum = (of: "entries" | "bytes") => volumes.reduce((total, one) => total + one[of], 0);
		const content = { at: now(), entries: sum("entries"), bytes: sum("bytes") };
		await sessions.say(id, { kind: "erased", content }, () => sessions.change(id, { erasedAt: now() }));
	}

	/** A place is kept free for a day after the last word; then the side that may still do so calls the migration off. */
	async #endSilent({ id, side, talk, job, createdAt }: Session): Promise<void> {
		const { sessions, now } = this.#parts;
		if (job === null || !expire("reservation", side, talk.state)) return;
		const said = sessions.transcript.lastAt(id) ?? createdAt;
		if (now() - said > day) await sessions.callOff(id, "nothing was heard for a day", "silent");
	}
}
