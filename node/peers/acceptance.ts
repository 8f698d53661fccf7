import type { Content } from "#protocol/migration/messages.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type Peer, sizeText } from "./peer.ts";
import type { Peers } from "./peers.ts";

/** From whom deployments are taken: from any node, from those that staff has allowed, from none. */
export type Accept = "open" | "listed" | "none";

export interface AcceptanceParts {
	readonly db: Database;
	readonly peers: Peers;
	readonly accept: Accept;
	/** Most that one deployment may hold; null: what its customer's voucher says. Bytes. */
	readonly largest: number | null;
	/** For each node, unless staff has said otherwise of it; null: no limit. */
	readonly mostMoves: number | null;
	readonly mostBytes: number | null;
	readonly now: () => number;
}

/** A node as it shows itself. */
type Node = { readonly origin: string; readonly key: string };

const day = 24 * 60 * 60_000;

/** What this provider allows: who may send deployments here, how many and how much, and where to its own may go. */
export class Acceptance {
	readonly #parts: AcceptanceParts;

	constructor(parts: AcceptanceParts) {
		this.#parts = parts;
	}

	/**
	 * Whether a node may send this. Bytes are what it says beforehand or what has come, whichever is more; what really
	 * comes of one move is bounded besides. Throws `node-not-accepted`, `node-key-changed`, `node-busy` and `migration-too-large`.
	 */
	checkSource(from: Node, migration: string, offer: Content<"offer">): void {
		const { peers, accept, largest, mostMoves, mostBytes } = this.#parts;
		const peer = peers.find(from.origin);
		const isAllowed = accept === "open" || (accept === "listed" && peer?.standing === "allowed");
		if (!isAllowed || peer?.standing === "blocked") throw new Problem("node-not-accepted", { origin: from.origin });
		checkKey(from, peer);
		const bytes = bytesOf(offer);
		if (largest !== null && bytes > largest)
			throw new Problem("migration-too-large", { what: sizeText(bytes), limit: sizeText(largest) });
		const others = this.#ofPeer(from.origin).filter(({ id }) => id !== migration);
		const moves = peer?.mostMoves ?? mostMoves;
		if (moves !== null && others.filter(({ ended_at }) => ended_at === null).length >= moves)
			throw new Problem("node-busy", { origin: from.origin, limit: moves === 1 ? "one move" : `${moves} moves` });
		const room = peer?.mostBytes ?? mostBytes;
		const before = others.reduce((sum, { offered, came }) => sum + Math.max(offered, came), 0);
		if (room !== null && before + bytes > room)
			throw new Problem("node-busy", { origin: from.origin, limit: `${sizeText(room)} a day` });
	}

	/** Whether this provider's customers may move there. Throws `node-blocked` and `node-key-changed`. */
	checkTarget(to: Node): void {
		const peer = this.#parts.peers.find(to.origin);
		if (peer?.standing === "blocked") throw new Problem("node-blocked", { origin: to.origin });
		checkKey(to, peer);
	}

	/** What came or comes from a node: all that is under way, and all of the last day. */
	#ofPeer(origin: string) {
		return this.#parts.db.all<{ id: string; ended_at: number | null; offered: number; came: number }>(
			`SELECT id, ended_at,
				(SELECT coalesce(sum(volume.value ->> 'bytes'), 0) FROM json_each(about, '$.offer.services') service,
					json_each(service.value, '$.volumes') volume) offered,
				(SELECT coalesce(sum(content ->> 'bytes'), 0) FROM migration_message
					WHERE migration = migration.id AND side = 'target' AND kind = 'announce') came
			FROM migration WHERE side = 'target' AND about ->> '$.peer.origin' = $origin AND (ended_at IS NULL OR created_at >= $since)`,
			{ origin, since: this.#parts.now() - day },
		);
	}
}

function checkKey({ origin, key }: Node, peer: Peer | undefined): void {
	if (peer?.key && peer.key.key !== key) throw new Problem("node-key-changed", { origin });
}

function bytesOf({ services }: Content<"offer">): number {
	return services.flatMap(({ volumes }) => volumes).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}
