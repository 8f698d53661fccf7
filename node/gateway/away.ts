import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import type { Head } from "./head.ts";

/** What a gateway calls itself towards others: the host of its node's panel, which no other node has. */
export function nameOf(panel: string): string {
	return new URL(panel).host;
}

/**
 * The head of a request on its way to another node: as it came, so that signatures over it hold, and behind it who the
 * client is (RFC 7239) and that it came through us (RFC 9110, 7.6.3).
 */
export function headAway(head: Head, { httpVersion }: IncomingMessage, name: string): Head {
	const client = isIPv6(head.client) ? `"[${head.client}]"` : head.client;
	const forwarded = `for=${client};host="${head.headers[1]}";proto=${head.proto}`;
	return { ...head, headers: [...head.headers, "Forwarded", forwarded, "Via", `${httpVersion} ${name}`] };
}

/** Whether a request has been here before: sent away once more, it would go round for ever. */
export function hasPassed({ headers: { via } }: IncomingMessage, name: string): boolean {
	if (via === undefined) return false;
	return via.split(",").some((hop) => hop.trim().split(/\s+/)[1]?.toLowerCase() === name);
}
