import { digest } from "#protocol/migration/canonical.ts";
import type { Content } from "#protocol/migration/messages.ts";
import type { Sessions } from "./sessions.ts";

/** What the target has said of rounds, each of the manifest that we told it; what was overtaken does not count. */
export function announcedIn(sessions: Sessions, migration: string): Content<"announce">[] {
	const told = new Map(
		sessions.all(migration, "source", "manifest").map((manifest) => [manifest.round, digest(manifest)]),
	);
	return sessions.all(migration, "target", "announce").filter(({ round, manifest }) => told.get(round) === manifest);
}

/** The first that it has said of one round. */
export function announcedRound(sessions: Sessions, migration: string, round: number) {
	return announcedIn(sessions, migration).find((announced) => announced.round === round);
}
