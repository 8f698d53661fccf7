import type { InputsOf } from "#protocol/nixops4/resources.ts";
import type { Zone } from "../../../domains/zone.ts";
import { type Context, Refused, type Resource } from "./resource.ts";

/** The zones that this node writes, and what guards a domain in them. */
export interface Zones {
	/** The zone that a name is in; undefined: others hold it. */
	zoneOf(name: string): Zone | undefined;
	/** Where the DNS says whose the domain is, and what stands there while it is ours; undefined: nothing guards it. */
	guardOf(deployment: string): { name: string; mine: string } | undefined;
}

/** The records of one name and type in a zone that this node writes, while the domain is ours. */
export class DnsRecord implements Resource<"dns_record"> {
	readonly #zones: Zones;

	constructor(zones: Zones) {
		this.#zones = zones;
	}

	nameOf({ name, type }: InputsOf<"dns_record">): string {
		return `${name} ${type}`;
	}

	async apply({ name, type, values, ttl, ensure }: InputsOf<"dns_record">, { deployment, domain }: Context) {
		if (name !== domain && !name.endsWith(`.${domain}`)) throw new Refused(`${name} is not under ${domain}`);
		const zone = this.#zones.zoneOf(name);
		if (!zone) throw new Refused(`This node does not set the records of ${name}; remove it from the plan`);
		const records = values.map((value) => ({ name, type, value, ttl }));
		const guard = this.#zones.guardOf(deployment);
		await (ensure === "present" ? zone.set(records, guard) : zone.remove(records, guard));
		return { name };
	}
}
