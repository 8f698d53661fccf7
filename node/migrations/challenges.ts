import type { Challenges as Asked } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Challenge, ChallengePlace } from "../certificates/certificate.ts";
import type { Calls } from "../peers/calls.ts";
import type { Database } from "../store/database.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

/** In these states the target may have challenges set: from its promise on until it serves. */
const open = new Set(["agreed", "copying", "frozen", "voted", "committed"]);

/**
 * What certificate authorities want to see in the zone of a source whose target orders a certificate. The source sets
 * nothing but challenges for hosts of the session, and keeps which, so that all of them go when the session is over.
 */
export class Challenges {
	readonly #db: Database;
	readonly #sessions: Sessions;
	readonly #place: (domain: string) => ChallengePlace | undefined;
	/** One change a session at a time. */
	readonly #turns = new Map<string, Promise<void>>();

	constructor(db: Database, sessions: Sessions, place: (domain: string) => ChallengePlace | undefined) {
		this.#db = db;
		this.#sessions = sessions;
		this.#place = place;
	}

	/** Makes these the session's challenges; those of before go. Throws `not-found` where none may be set, `not-allowed` for other names. */
	set(sid: string, { values }: Asked): Promise<void> {
		return this.#inTurn(sid, async () => {
			const session = this.#sessions.known(sid);
			const place = this.#openPlace(session);
			const hosts = new Set(session.about.offer?.services.flatMap((service) => service.hosts));
			if (values.some(({ host }) => !hosts.has(host))) throw new Problem("not-allowed");
			await this.#replace(session, place, values);
		});
	}

	/** Removes all that the session has set. Twice is fine. */
	clear(sid: string): Promise<void> {
		return this.#inTurn(sid, async () => {
			const session = this.#sessions.known(sid);
			const place = this.#place(session.domain ?? "");
			if (place) await this.#replace(session, place, []);
		});
	}

	/** Removes what sessions have left that are over. */
	async round(): Promise<void> {
		const sql = "SELECT id FROM migration WHERE json_array_length(about, '$.challenges') > 0";
		for (const { id } of this.#db.all<{ id: string }>(sql))
			if (!open.has(this.#sessions.known(id).talk.state)) await this.clear(id);
	}

	#openPlace({ side, talk, domain }: Session): ChallengePlace {
		const place = side === "source" && open.has(talk.state) ? this.#place(domain ?? "") : undefined;
		if (!place) throw new Problem("not-found");
		return place;
	}

	/** What will stand is written down before it does, so that nothing stands that nobody knows of. */
	async #replace({ id, about }: Session, place: ChallengePlace, values: readonly Challenge[]): Promise<void> {
		const before = about.challenges ?? [];
		if (before.length === 0 && values.length === 0) return;
		this.#sessions.change(id, { about: { challenges: [...before, ...values] } });
		const gone = before.filter((old) => !values.some((one) => one.host === old.host && one.value === old.value));
		if (gone.length > 0) await place.withdraw(gone);
		if (values.length > 0) await place.publish(values);
		this.#sessions.change(id, { about: { challenges: values } });
	}

	#inTurn(sid: string, work: () => Promise<void>): Promise<void> {
		const turn = (this.#turns.get(sid) ?? Promise.resolve()).then(work);
		const settled = turn.catch(() => {});
		this.#turns.set(sid, settled);
		void settled.then(() => this.#turns.get(sid) === settled && this.#turns.delete(sid));
		return turn;
	}
}

/** The same, as the target has it: asked of the session's source, which holds the zone. */
export function placeAtSource(session: Session, calls: Calls): ChallengePlace {
	const { peer } = session.about;
	if (!peer) throw new Error(`${session.id} has nobody to ask`);
	const path = `${new URL(peer.door).pathname}/challenge`;
	const put = async (values: readonly Challenge[]) => {
		await calls.call(peer, { method: "PUT", path, body: { values }, signal: AbortSignal.timeout(30_000) });
	};
	return {
		publish: put,
		// All that this node has set there is of this one order.
		withdraw: () => put([]),
	};
}
