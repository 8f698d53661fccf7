import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** What IANA's special-purpose registries keep from the public internet, and multicast. */
const kept4 = blockList("ipv4", [
	...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
	...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
	...["224.0.0.0/4", "240.0.0.0/4"],
]);
/** All IPv6 in use on the internet is in 2000::/3; kept from it are protocols', documentation's and IPv4 in disguise. */
const global6 = blockList("ipv6", ["2000::/3"]);
const kept6 = blockList("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

/** Whether an IP address is somebody's on the public internet, so that connecting to it reaches nothing of ours. */
export function isPublic(address: string): boolean {
	if (isIP(address) === 4) return !kept4.check(address, "ipv4");
	if (isIP(address) === 6) return global6.check(address, "ipv6") && !kept6.check(address, "ipv6");
	return false;
}

/** Whether a host of a URL, a name or an address in brackets or not, could be somebody's on the public internet. */
export function looksPublic(name: string): boolean {
	const host = name.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
	if (isIP(host)) return isPublic(host);
	return host.includes(".") && !/\.(localhost|local|internal|home\.arpa|onion|test|invalid)$/.test(host);
}

/** Looks a name up for a connection, and gives only public addresses of it: what was checked is what is connected to. */
export const publicLookup: LookupFunction = (host, options, callback) => {
	lookup(host, { ...options, all: true }, (error, found) => {
		const open = error ? [] : found.filter(({ address }) => isPublic(address));
		const [first] = open;
		if (error || !first) return callback(error ?? new NotPublic(), "", 0);
		if (options.all) callback(null, open);
		else callback(null, first.address, first.family);
	});
};

/** For the demo and tests: this machine and its networks too, and every name under `localhost` is this machine (RFC 6761). */
export const anyLookup: LookupFunction = (host, options, callback) => {
	if (!/(^|\.)localhost$/.test(host)) return lookup(host, options, callback);
	if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
	else callback(null, "127.0.0.1", 4);
};

/** A name that leads to no public address. */
export class NotPublic extends Error {
	override readonly name = "NotPublic";
	readonly code = "NOT_PUBLIC";
	constructor() {
		super("Its address is not public");
	}
}

function blockList(family: "ipv4" | "ipv6", subnets: string[]): BlockList {
	const list = new BlockList();
	for (const subnet of subnets) {
		const [address = "", prefix] = subnet.split("/");
		list.addSubnet(address, Number(prefix), family);
	}
	return list;
}
