import { Problem } from "#protocol/problem.ts";
import type { Lookup, Said } from "./lookup.ts";
import type { DnsRecord, Zone } from "./zone.ts";

/** Asks the server of a zone of our own. */
export class ZoneLookup implements Lookup {
	readonly #zone: Zone;
	readonly #now: () => number;

	constructor(zone: Zone, now: () => number) {
		this.#zone = zone;
		this.#now = now;
	}

	async ask(name: string, type: DnsRecord["type"]): Promise<readonly Said[]> {
		return [{ server: this.#zone.server, at: this.#now(), values: await this.#values(name, type) }];
	}

	async #values(name: string, type: DnsRecord["type"]): Promise<string[] | null> {
		try {
			return await this.#zone.look(name, type);
		} catch (error) {
			if (error instanceof Problem) return null;
			throw error;
		}
	}
}
