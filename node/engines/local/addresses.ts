import type { Backend, Plan, PlannedService } from "../engine.ts";

/** What is found under a host name. */
export interface Addressee {
	readonly planned: PlannedService;
	readonly mode: Plan["mode"];
	backend(): Backend;
}

/** Who comes first where several have one host name: after a move away and back the old copy lies beside the new one. */
const ranks: Record<Plan["mode"], number> = { serving: 3, frozen: 2, stopped: 1, absent: 0 };

/** Which service answers under which host name. */
export class Addresses<Service extends Addressee> {
	readonly #at = new Map<string, Set<Service>>();

	add(service: Service): void {
		for (const host of service.planned.hosts) {
			const all = this.#at.get(host) ?? new Set();
			this.#at.set(host, all.add(service));
		}
	}

	remove(service: Service): void {
		for (const host of service.planned.hosts) {
			const all = this.#at.get(host);
			all?.delete(service);
			if (all?.size === 0) this.#at.delete(host);
		}
	}

	/** One that serves, whatever was planned first; with or without a port in the name. */
	find(host: string): Service | undefined {
		const all = this.#at.get(host.replace(/:\d+$/, "").toLowerCase());
		let best: Service | undefined;
		for (const one of all ?? []) if (!best || ranks[one.mode] > ranks[best.mode]) best = one;
		return best;
	}
}
