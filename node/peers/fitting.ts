import { Problem } from "#protocol/problem.ts";
import { type Peer, sizeText } from "./peer.ts";

/** What would move. */
export interface Luggage {
	readonly services: readonly { readonly name: string; readonly title: string; readonly version: string | null }[];
	/** As far as it is known. */
	readonly bytes: number;
}

/**
 * What its offer sheet says against a node taking this; undefined: nothing. The node has the last word when it is asked.
 * Versions that are no numbers, or not told, are not compared.
 */
export function objectionTo(peer: Peer, { services, bytes }: Luggage, own: string): Problem | undefined {
	const { sheet, origin } = peer;
	if (!sheet) return new Problem("node-silent", { origin });
	const provider = sheet.name;
	if (peer.newKey) return new Problem("node-key-changed", { origin });
	if (sheet.accepts === "none") return new Problem("provider-closed", { provider });
	if (sheet.accepts === "known" && !peer.knowsUs) return new Problem("node-not-accepted", { origin: own });
	for (const { name, title, version } of services) {
		const there = sheet.services.find((service) => service.name === name);
		if (!there) return new Problem("provider-lacks", { provider, service: title });
		if (version !== null && there.version !== null && isOlder(there.version, version))
			return new Problem("provider-older", { provider, service: title, there: there.version, here: version });
	}
	const room = Math.min(sheet.limits.bytes ?? Infinity, sheet.freeBytes ?? Infinity);
	if (bytes > room) return new Problem("migration-too-large", { what: sizeText(bytes), limit: sizeText(room) });
	return undefined;
}

/** Whether a version comes before another, number by number; false if either has none in front. */
export function isOlder(one: string, other: string): boolean {
	const [left, right] = [numbers(one), numbers(other)];
	if (!left || !right) return false;
	for (let n = 0; n < Math.max(left.length, right.length); n++) {
		const [a = 0, b = 0] = [left[n], right[n]];
		if (a !== b) return a < b;
	}
	return false;
}

function numbers(version: string): number[] | undefined {
	return /^v?(\d+(?:\.\d+)*)/.exec(version)?.[1]?.split(".").map(Number);
}
