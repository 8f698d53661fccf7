import type { DnsRecord } from "../domains/zone.ts";
import type { Destination, Find } from "../gateway/destination.ts";
import { hostOf, mailHost, providers, zoneName } from "./providers.ts";

/** What the front door asks to find its way. */
export interface Signposts {
	/** All records at a name in the demo's zone. */
	lookup(name: string): readonly Pick<DnsRecord, "type" | "name" | "value">[];
	/** Where a provider's node listens; undefined while it is not ready. */
	portOf(key: string): number | undefined;
}

const longestChain = 8;
const startsWithin = 3;

/** Leads a host name where the zone says, as the DNS would lead a visitor to one provider's machine or the other's. */
export function frontDoor({ lookup, portOf }: Signposts): Find {
	const nodes = new Map(providers.map((provider) => [hostOf(provider), provider.key]));
	return (host) => {
		if (host === zoneName || host === mailHost || host === "127.0.0.1") return { kind: "panel" };
		const key = nodes.get(followed(host, lookup, nodes));
		return key === undefined ? { kind: "unknown" } : towards(portOf(key));
	};
}

function towards(port: number | undefined): Destination {
	return port === undefined ? { kind: "wait", why: "starting", retryAfter: startsWithin } : { kind: "service", port };
}

/** The end of a name's chain of CNAMEs. */
function followed(host: string, lookup: Signposts["lookup"], ends: ReadonlyMap<string, string>): string {
	let name = host;
	for (let step = 0; step < longestChain && !ends.has(name); step++) {
		const next = lookup(name).find(({ type }) => type === "CNAME")?.value;
		if (next === undefined) return name;
		name = next.toLowerCase();
	}
	return name;
}
