import { getLogger } from "@logtape/logtape";
import { canonical } from "#protocol/migration/canonical.ts";
import { Problem } from "#protocol/problem.ts";
import type { Calls } from "../peers/calls.ts";
import type { Sessions } from "./sessions.ts";

export interface CourierParts {
	readonly sessions: Sessions;
	readonly calls: Calls;
	/** Throws while it is not certain that we know all we have said; see past.ts. */
	sure?(id: string): Promise<void>;
	/** The other node found two messages of ours in one place. */
	suspect?(id: string): Promise<void>;
	/** Of the first pause after a failure, ms; each further one is twice as long, up to five minutes. */
	readonly firstPause?: number;
}

const longestPause = 5 * 60_000;
const log = getLogger(["fediversity", "migrations"]);

/** Carries what our sessions say to the other nodes: in order, again until it has arrived, each session by itself. */
export class Courier {
	readonly #parts: CourierParts;
	readonly #closing = new AbortController();
	readonly #under = new Map<string, Promise<void>>();
	#stop: () => void = () => {};

	constructor(parts: CourierParts) {
		this.#parts = parts;
	}

	/** Sends what has been left over from earlier, and from now on whatever is said. */
	start(): void {
		const { sessions } = this.#parts;
		this.#stop = sessions.bell.listen((id) => id !== null && this.#carry(id));
		for (const id of sessions.transcript.unsent()) this.#carry(id);
	}

	async close(): Promise<void> {
		this.#stop();
		this.#closing.abort(new Problem("cancelled"));
		await Promise.all(this.#under.values());
	}

	#carry(id: string): void {
		if (this.#under.has(id) || this.#closing.signal.aborted || !this.#parts.sessions.transcript.nextUnsent(id)) return;
		const work = this.#carryAll(id).finally(() => {
			this.#under.delete(id);
			// Something may have been said between the last look and now.
			if (!this.#closing.signal.aborted) this.#carry(id);
		});
		this.#under.set(id, work);
	}

	async #carryAll(id: string): Promise<void> {
		const { sessions, calls, firstPause = 1000 } = this.#parts;
		let pause = firstPause;
		for (let next = sessions.transcript.nextUnsent(id); next; next = sessions.transcript.nextUnsent(id)) {
			const { about } = sessions.known(id);
			const { peer } = about;
			if (!peer) return;
			try {
				if (!about.past) await this.#parts.sure?.(id);
				const body = Buffer.from(canonical(next.document));
				const path = new URL(peer.door).pathname;
				await calls.call(peer, { method: "POST", path, body, signal: this.#closing.signal });
				sessions.acknowledge(id, next.seq);
				pause = firstPause;
			} catch (error) {
				if (this.#closing.signal.aborted) return;
				if (error instanceof Problem && error.code === "migration-broken") await this.#parts.suspect?.(id);
				// What was next is not any more, if we know by now that we have forgotten something.
				if (!about.past && this.#parts.sessions.known(id).about.past) continue;
				if (this.#isRefused(id, error)) return;
				log.info("{origin} did not take message {seq}: {error}", { origin: peer.origin, seq: next.seq, error });
				await this.#wait(pause * (0.75 + Math.random() / 2));
				pause = Math.min(pause * 2, longestPause);
			}
		}
	}

	/** Some answers do not change however often we ask: the other node will never take this message. */
	#isRefused(id: string, error: unknown): boolean {
		const final = ["token-expired", "token-used", "token-unknown", "token-other-domain", "message-wrong", "not-found"];
		const isFinal =
			error instanceof Problem &&
			[
				...final,
				"migration-broken",
				"migration-forgotten",
				"node-not-accepted",
				"node-key-changed",
				"migration-too-large",
			].includes(error.code);
		if (isFinal) this.#parts.sessions.fail(id, error);
		return isFinal;
	}

	#wait(ms: number): Promise<void> {
		const { signal } = this.#closing;
		return new Promise((resolve) => {
			const timer = setTimeout(over, ms);
			signal.addEventListener("abort", over);
			function over() {
				clearTimeout(timer);
				signal.removeEventListener("abort", over);
				resolve();
			}
		});
	}
}
