import { isStale, type Peer } from "../peers/peer.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

/** Whether the nodes that this one knows still answer, by the keys they are known by. */
export function peers(known: readonly Peer[], now: number): Finding[] {
	const open = known.filter(({ standing }) => standing !== "blocked");
	const changed = open.filter(({ newKey }) => newKey !== null);
	const stale = open.filter((peer) => peer.newKey === null && isStale(peer, now) && peer.addedAt < now - settling);
	const found = [...changed.map(changedKey), ...stale.map(silent)];
	if (found.length > 0 || open.length === 0) return found;
	return [good("peers", `${open.length} other node${open.length === 1 ? " is" : "s are"} known and well`)];
}

/** A node that was just added may not have been looked at, ms. */
const settling = 10 * 60_000;

function changedKey({ origin }: Peer): Finding {
	return bad(
		"peers",
		`${origin} shows another key than it is known by, so nothing is exchanged with it`,
		`Ask its provider whether that is right, then: fediversity peer confirm ${origin}`,
	);
}

function silent({ origin, problem, seenAt }: Peer): Finding {
	const since = seenAt === null ? "was never seen" : `was last seen on ${new Date(seenAt).toISOString().slice(0, 10)}`;
	return warning(
		"peers",
		`${origin} ${since}${problem ? `: ${problem}` : ""}`,
		`Ask its provider, or forget it: fediversity peer remove ${origin}`,
	);
}
