import { isIP, isIPv6 } from "node:net";
import { Problem } from "#protocol/problem.ts";
import type { DnsRecord } from "./zone.ts";

/** A host name of a service, such as `social.choir.example`. */
export interface ServiceHost {
	readonly host: string;
	readonly service: string;
}

/** A record that a deployment needs, and why: the service's name, or `ownership`. */
export interface NeededRecord extends DnsRecord {
	readonly purpose: string;
}

/** Which node serves a domain, for which customer's claim, since which move (the epoch). */
export interface Ownership {
	readonly epoch: number;
	/** The node's actor. */
	readonly actor: string;
	readonly claim: string;
}

export interface Need {
	readonly domain: string;
	readonly hosts: readonly ServiceHost[];
	/** Where the services are reached; none: wherever the panel is. */
	readonly addresses: readonly string[];
	readonly panelHost: string;
	readonly actor: string;
	readonly claim: string;
	readonly epoch: number;
}

/** Seconds. Short, since moving to another provider waits for it. */
const ttl = 300;

/** Where a domain says who serves it. */
export const ownershipName = (domain: string) => `_fediversity.${domain}`;

/** All records a deployment needs, whoever sets them: who serves the domain first, then where each host is. */
export function recordsFor(need: Need): NeededRecord[] {
	return [ownershipRecord(need), ...need.hosts.flatMap((host) => hostRecords(host, need))];
}

/** `_fediversity.<domain> TXT "e=1; a=<actor>; c=<claim>"`. */
export function ownershipRecord({ domain, actor, claim, epoch }: Omit<Need, "hosts" | "addresses" | "panelHost">) {
	const value = `e=${epoch}; a=${actor}; c=${claim}`;
	return { type: "TXT", name: ownershipName(domain), value, ttl, purpose: "ownership" } as const;
}

/** Reads such a record; undefined: it is something else. Unknown parts are for later versions and no mistake. */
export function ownershipIn(value: string): Ownership | undefined {
	const pairs = value.matchAll(/(?:^|;)\s*(\w+)=([^;]*?)\s*(?=;|$)/g);
	const parts = new Map([...pairs].map(([, key = "", content = ""]) => [key, content]));
	const [epoch, actor, claim] = [Number(parts.get("e") ?? Number.NaN), parts.get("a"), parts.get("c")];
	return Number.isSafeInteger(epoch) && actor ? { epoch, actor, claim: claim ?? "" } : undefined;
}

/** Whom people know the holder of a domain as: the host of its node, or the record itself if it names none. */
export function holderIn(value: string): string {
	const actor = ownershipIn(value)?.actor;
	return (actor && URL.parse(actor)?.hostname) || value;
}

function hostRecords({ host, service }: ServiceHost, { addresses, panelHost }: Need): NeededRecord[] {
	if (host === panelHost || host.endsWith(`.${panelHost}`)) throw new Problem("domain-is-reserved", { domain: host });
	const record = { name: host, ttl, purpose: service };
	const known = addresses.length > 0 ? addresses : isIP(panelHost) ? [panelHost] : [];
	if (known.length === 0) return [{ ...record, type: "CNAME", value: panelHost }];
	return known.map((value) => ({ ...record, type: isIPv6(value) ? "AAAA" : "A", value }));
}
