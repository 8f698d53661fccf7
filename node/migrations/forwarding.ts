import type { Deployments } from "../deployments/deployments.ts";
import type { Sessions } from "./sessions.ts";

/** What became of a request for a service that rests or has moved. */
export type Counted = "deferred" | "forwarded" | "failed";

/** Between two entries in the account of a migration's requests, ms. */
const often = 2000;

/** Which hosts have moved, and to where; and the account of the requests that came here for them. From memory. */
export class Forwarding {
	readonly #sessions: Sessions;
	readonly #deployments: Deployments;
	readonly #fronts = new Map<string, string>();
	readonly #counts = new Map<string, { deferred: number; forwarded: number }>();
	#timer: NodeJS.Timeout | undefined;

	constructor(sessions: Sessions, deployments: Deployments) {
		this.#sessions = sessions;
		this.#deployments = deployments;
	}

	/** Reads anew what has moved away and is still kept here. */
	look(): void {
		this.#fronts.clear();
		for (const { id, deployment } of this.#sessions.away()) {
			const front = this.#sessions.last(id, "target", "accept")?.front;
			const found = deployment === null ? undefined : this.#deployments.known(deployment);
			if (!front || found?.state !== "moved") continue;
			for (const host of found.plan.services.flatMap(({ hosts }) => hosts)) this.#fronts.set(host, front);
		}
	}

	/** Where requests for a host are handed on to; undefined: nowhere. */
	frontOf(host: string): string | undefined {
		return this.#fronts.get(host);
	}

	/** Called for every such request. */
	counted(host: string, what: Counted): void {
		if (what === "failed") return;
		const count = this.#counts.get(host) ?? { deferred: 0, forwarded: 0 };
		count[what]++;
		this.#counts.set(host, count);
		this.#timer ??= setTimeout(() => this.flush(), often);
	}

	/** Writes down what has been counted. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		for (const [host, { deferred, forwarded }] of this.#counts) {
			const deployment = this.#deployments.ofHost(host);
			const session = deployment && this.#sessions.ofDeployment(deployment.id);
			if (session?.side === "source") this.#sessions.count(session.id, deferred, forwarded);
		}
		this.#counts.clear();
	}
}
