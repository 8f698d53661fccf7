import { getLogger } from "@logtape/logtape";
import type { Progress } from "#protocol/migration/messages.ts";
import type { Work } from "../jobs/saga.ts";
import type { Calls } from "../peers/calls.ts";
import type { Sessions } from "./sessions.ts";

const log = getLogger(["fediversity", "migrations"]);

/** Between two words on progress to the other node, ms. */
const pause = 1000;

/** Lets each side's timeline show what only the other one sees. None of it changes anything, and all of it may be lost. */
export class Echo {
	readonly #sessions: Sessions;
	readonly #calls: Calls;
	readonly #followers = new Map<string, Set<(progress: Progress) => void>>();

	constructor(sessions: Sessions, calls: Calls) {
		this.#sessions = sessions;
		this.#calls = calls;
	}

	/** The other node has said how far it is. */
	heard(migration: string, progress: Progress): void {
		if (progress.step === "rested" && progress.seconds !== null)
			this.#sessions.change(migration, { about: { restedSeconds: progress.seconds } });
		for (const follower of this.#followers.get(migration) ?? []) follower(progress);
	}

	/** Shows in our work how far the other node is. */
	follow(migration: string, work: Work): { close(): void } {
		const follower = ({ fraction, note }: Progress) => work.progress(fraction, note ?? undefined);
		const all = this.#followers.get(migration) ?? new Set();
		this.#followers.set(migration, all.add(follower));
		return {
			close: () => {
				all.delete(follower);
				if (all.size === 0) this.#followers.delete(migration);
			},
		};
	}

	/** Tells the other node how far our work is, besides whom it tells anyway. */
	telling(migration: string, step: string, work: Work): Work & { close(): void } {
		let latest: { fraction: number | null; note: string | undefined } | null = null;
		let under = false;
		const tell = async () => {
			if (under || !latest) return;
			under = true;
			const { fraction, note } = latest;
			latest = null;
			await this.#tell(migration, {
				step,
				fraction,
				bytes: null,
				of: null,
				note: note?.slice(0, 300) ?? null,
				seconds: null,
			});
			under = false;
		};
		const timer = setInterval(tell, pause);
		return {
			...work,
			progress: (fraction, note) => {
				work.progress(fraction, note);
				latest = { fraction, note };
			},
			close: () => clearInterval(timer),
		};
	}

	/** Tells the other node how long services have rested in the end: only the source can measure it. Seconds. */
	rested(migration: string, seconds: number): Promise<void> {
		return this.#tell(migration, {
			...{ step: "rested", fraction: null, bytes: null, of: null, note: null, seconds: Math.round(seconds) },
		});
	}

	async #tell(migration: string, progress: Progress): Promise<void> {
		const { peer } = this.#sessions.known(migration).about;
		if (!peer) return;
		const path = `${new URL(peer.door).pathname}/progress`;
		const signal = AbortSignal.timeout(5000);
		await this.#calls.call(peer, { method: "PUT", path, body: progress, signal }).catch((error) => {
			log.debug("{origin} did not hear how far we are: {error}", { origin: peer.origin, error });
		});
	}
}
