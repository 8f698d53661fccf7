import { BlockList, isIPv6 } from "node:net";
import { NoAnswer, type Patience, type Server } from "./exchange.ts";
import { query, type Reply } from "./query.ts";

/** A server that is responsible for a zone: its name, and where it is. */
export interface NameServer {
	readonly name: string;
	readonly addresses: readonly string[];
}

/** More than these are not asked: a zone has two to four, a top-level domain up to thirteen. */
const mostServers = 4;

/**
 * Finds out who is responsible for a name, by asking resolvers for the name servers of it, of what it is below, and so on.
 * Throws NoAnswer when no resolver knows.
 */
export async function nameServersOf(name: string, resolvers: readonly Server[], patience: Patience) {
	for (const zone of lineage(name)) {
		const names = await resolved(resolvers, zone, "NS", patience);
		const located = names.slice(0, mostServers).map(async (name) => ({ name, addresses: await addressesOf(name) }));
		if (located.length > 0) return Promise.all(located);
	}
	return [];

	async function addressesOf(server: string): Promise<string[]> {
		const both = (["A", "AAAA"] as const).map((type) => resolved(resolvers, server, type, patience).catch(() => []));
		return (await Promise.all(both)).flat();
	}
}

/** `a.b.c`, `b.c`, `c`. */
function lineage(name: string): string[] {
	const labels = name.split(".");
	return labels.map((_, n) => labels.slice(n).join("."));
}

/** Asks one resolver after the other until one knows; an answer that nothing is there is an answer. */
async function resolved(resolvers: readonly Server[], name: string, type: "NS" | "A" | "AAAA", patience: Patience) {
	for (const resolver of resolvers) {
		try {
			const reply = await query(resolver, { name, type, recursive: true }, patience);
			if (reply.rcode === "NOERROR" || reply.rcode === "NXDOMAIN") return dataOf(reply, name, type);
		} catch (error) {
			if (!(error instanceof NoAnswer)) throw error;
		}
	}
	throw new NoAnswer(resolvers[0] ?? { address: "resolvers", port: 53 }, `nothing about ${name}`);
}

/** The data of the records of just this name and type; a CNAME's target is another name. */
function dataOf({ answers }: Reply, name: string, type: "NS" | "A" | "AAAA"): string[] {
	return answers.flatMap((answer) =>
		answer.type === type && answer.name.toLowerCase() === name ? [String(answer.data).toLowerCase()] : [],
	);
}

/**
 * Addresses that no public name server has. A customer's domain may name any address as its name server's, and our
 * questions shall not become a way into the provider's own networks.
 */
const inside = new BlockList();
for (const [network, bits] of [
	["0.0.0.0", 8],
	["10.0.0.0", 8],
	["100.64.0.0", 10],
	["127.0.0.0", 8],
	["169.254.0.0", 16],
	["172.16.0.0", 12],
	["192.168.0.0", 16],
	["198.18.0.0", 15],
	["224.0.0.0", 3],
] as const)
	inside.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [
	["::", 96],
	["64:ff9b::", 96],
	["fc00::", 7],
	["fe80::", 10],
	["ff00::", 8],
] as const)
	inside.addSubnet(network, bits, "ipv6");

export function isPublic(address: string): boolean {
	return !inside.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
