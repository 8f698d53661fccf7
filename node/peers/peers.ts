import { randomUUID } from "node:crypto";
import type { SignedSheet } from "#protocol/migration/sheet.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import type { Peer, PeerKey, Standing } from "./peer.ts";

interface Row {
	id: string;
	origin: string;
	told_by: string;
	standing: Standing;
	hidden: 0 | 1;
	most_moves: number | null;
	most_bytes: number | null;
	key_id: string | null;
	key: string | null;
	new_key_id: string | null;
	new_key: string | null;
	document: string | null;
	published_at: number | null;
	expires_at: number | null;
	knows_us: 0 | 1;
	created_at: number;
	seen_at: number | null;
	failures: number;
	problem: string | null;
}

/** What staff decides on a peer. */
export interface Decision {
	readonly standing?: Standing | undefined;
	readonly hidden?: boolean | undefined;
	readonly mostMoves?: number | null | undefined;
	readonly mostBytes?: number | null | undefined;
}

/** So many are known at most, besides those that staff has named. */
const mostPeers = 500;
const minute = 60_000;
const day = 24 * 60 * minute;
/** How often a peer's sheet is fetched that answers, and after which pauses one that does not: doubled each time. */
const lookEvery = 6 * 60 * minute;
const firstPause = 5_000;
/** One that was never named by staff is forgotten when it has not answered for so long. */
const forgottenAfter = 30 * day;
/** Ones of which nobody else may be told. */
const own = "('config', 'staff')";

/** The nodes that this one knows of. What is kept of each was signed by the key it is known by. */
export class Peers {
	readonly #db: Database;
	readonly #now: () => number;

	constructor(db: Database, now: () => number) {
		this.#db = db;
		this.#now = now;
	}

	/** Those that the configuration names, and no others by its word; what staff has decided on one stays. */
	configure(origins: readonly string[]): void {
		this.#db.transaction(() => {
			for (const { id, origin, standing } of this.#rows("WHERE told_by = 'config'"))
				if (origins.includes(origin)) continue;
				else if (standing === "usual") this.remove(id);
				else this.#db.run("UPDATE peer SET told_by = 'staff' WHERE id = $id", { id });
			for (const origin of origins) this.add(origin, "config");
		});
	}

	/**
	 * One more, to be looked at in the next round; one that is known stays as it is. Undefined: there are too many already.
	 * Who was named by a peer is asked for its own peers after a day only, so that word goes one step a day.
	 */
	add(origin: string, toldBy: string): Peer | undefined {
		const isOwn = toldBy === "config" || toldBy === "staff";
		const now = this.#now();
		const { count } = this.#db.get<{ count: number }>(
			`SELECT count(*) count FROM peer WHERE told_by NOT IN ${own}`,
		) ?? {
			count: 0,
		};
		if (!this.find(origin) && !isOwn && count >= mostPeers) return undefined;
		const askAt = isOwn || toldBy === "customer" ? now : now + day;
		this.#db.run(
			`INSERT INTO peer (id, origin, told_by, created_at, look_at, ask_at) VALUES ($id, $origin, $toldBy, $now, $now, $askAt)
			 ON CONFLICT (origin) DO UPDATE SET told_by = iif(excluded.told_by IN ${own}, excluded.told_by, told_by)`,
			{ id: randomUUID(), origin, toldBy, now, askAt },
		);
		return this.find(origin);
	}

	find(origin: string): Peer | undefined {
		return this.#rows("WHERE origin = $origin", { origin })[0];
	}

	/** Throws `not-found`. */
	get(id: string): Peer {
		const [found] = this.#rows("WHERE id = $id", { id });
		if (!found) throw new Problem("not-found");
		return found;
	}

	all(): Peer[] {
		return this.#rows("ORDER BY origin");
	}

	/** Origins of those that others may be told of. Anybody may ask for it, so it reads no sheet. */
	named(most: number): string[] {
		const sql = `SELECT origin FROM peer WHERE document IS NOT NULL AND expires_at > $now AND standing <> 'blocked'
			AND hidden = 0 AND new_key IS NULL ORDER BY seen_at DESC LIMIT $most`;
		return this.#db.all<Pick<Row, "origin">>(sql, { now: this.#now(), most }).map(({ origin }) => origin);
	}

	page(ask: PageAsk) {
		const sql = "SELECT * FROM peer WHERE (created_at, id) < ($at, $id) ORDER BY created_at DESC, id DESC LIMIT $most";
		return page(ask, (bounds) => this.#db.all<Row>(sql, { ...bounds }), peerOf);
	}

	/** Staff's word on a peer; it is then one that staff has named. */
	decide(id: string, { standing, hidden, mostMoves, mostBytes }: Decision): Peer {
		const set = (column: string, value: string | number | null | undefined) => {
			if (value !== undefined) this.#db.run(`UPDATE peer SET ${column} = $value WHERE id = $id`, { id, value });
		};
		this.#db.transaction(() => {
			set("told_by", this.get(id).toldBy === "config" ? "config" : "staff");
			set("standing", standing);
			set("hidden", hidden === undefined ? undefined : Number(hidden));
			set("most_moves", mostMoves);
			set("most_bytes", mostBytes);
		});
		return this.get(id);
	}

	/** From now on the peer is known by the other key that it shows. Throws `peer-key` when that is not the one that was meant. */
	confirm(id: string, key: string): Peer {
		const peer = this.get(id);
		if (peer.key?.key === key) return peer;
		if (peer.newKey?.key !== key) throw new Problem("peer-key", { origin: peer.origin });
		this.#db.run(
			`UPDATE peer SET key_id = new_key_id, key = new_key, new_key_id = NULL, new_key = NULL, document = NULL,
			 published_at = NULL, expires_at = NULL, problem = NULL, failures = 0, look_at = $now WHERE id = $id`,
			{ id, now: this.#now() },
		);
		return this.get(id);
	}

	/** A second time changes nothing. */
	remove(id: string): void {
		this.#db.run("DELETE FROM peer WHERE id = $id", { id });
	}

	/** The key that a peer shows. True: it is the one it is known by, or the first. False: it is another, and not used. */
	showsKey(origin: string, { id, key }: PeerKey): boolean {
		const known = this.find(origin)?.key;
		const isNew = known !== null && known !== undefined && known.key !== key;
		const columns = isNew
			? "new_key_id = $id, new_key = $key"
			: "key_id = $id, key = $key, new_key_id = NULL, new_key = NULL";
		this.#db.run(`UPDATE peer SET ${columns} WHERE origin = $origin`, { origin, id, key });
		return !isNew;
	}

	/** A sheet whose signature holds; one that is older than what is kept only says that the peer answers. */
	keepSheet(origin: string, { text, published, expires }: SignedSheet): void {
		const now = this.#now();
		this.#db.transaction(() => {
			this.#db.run(
				`UPDATE peer SET document = $text, published_at = $published, expires_at = $expires
				 WHERE origin = $origin AND coalesce(published_at, 0) <= $published`,
				{ origin, text, published, expires },
			);
			this.#db.run(
				"UPDATE peer SET seen_at = $now, failures = 0, problem = NULL, look_at = $next WHERE origin = $origin",
				{ origin, now, next: now + lookEvery },
			);
		});
	}

	/** It could not be looked at: it is tried again after a pause that doubles each time, up to a day. */
	failed(origin: string, problem: string): void {
		const [row] = this.#db.all<Row>("SELECT * FROM peer WHERE origin = $origin", { origin });
		const pause = Math.min(firstPause * 2 ** Math.min(row?.failures ?? 0, 20), day);
		this.#db.run(
			"UPDATE peer SET failures = failures + 1, problem = $problem, look_at = $next WHERE origin = $origin",
			{ origin, problem, next: this.#now() + pause },
		);
	}

	/** It was asked for its peers, and will be again in a day. */
	asked(origin: string, knowsUs?: boolean): void {
		this.#db.run("UPDATE peer SET ask_at = $next, knows_us = coalesce($knowsUs, knows_us) WHERE origin = $origin", {
			...{ origin, next: this.#now() + day, knowsUs: knowsUs === undefined ? null : Number(knowsUs) },
		});
	}

	/** Whose sheet is to be fetched, and whose peers are to be asked for; those that wait longest first. */
	due(which: "look" | "ask", most: number): Peer[] {
		const seen = which === "ask" ? "AND seen_at IS NOT NULL AND new_key IS NULL" : "";
		return this.#rows(`WHERE ${which}_at <= $now AND standing <> 'blocked' ${seen} ORDER BY ${which}_at LIMIT $most`, {
			...{ now: this.#now(), most },
		});
	}

	/** Forgets whom staff has never named and who has been silent for a month. */
	forget(): void {
		this.#db.run(`DELETE FROM peer WHERE told_by NOT IN ${own} AND coalesce(seen_at, created_at) < $before`, {
			before: this.#now() - forgottenAfter,
		});
	}

	#rows(where: string, values: Record<string, string | number> = {}): Peer[] {
		return this.#db.all<Row>(`SELECT * FROM peer ${where}`, values).map(peerOf);
	}
}

function peerOf(row: Row): Peer {
	return {
		...{ id: row.id, origin: row.origin, toldBy: row.told_by, standing: row.standing, hidden: row.hidden === 1 },
		...{ mostMoves: row.most_moves, mostBytes: row.most_bytes, problem: row.problem, knowsUs: row.knows_us === 1 },
		key: row.key_id !== null && row.key !== null ? { id: row.key_id, key: row.key } : null,
		newKey: row.new_key_id !== null && row.new_key !== null ? { id: row.new_key_id, key: row.new_key } : null,
		// It was checked before it was kept.
		sheet: row.document === null ? null : JSON.parse(JSON.parse(row.document).content),
		...{ publishedAt: row.published_at, expiresAt: row.expires_at, addedAt: row.created_at, seenAt: row.seen_at },
	};
}
