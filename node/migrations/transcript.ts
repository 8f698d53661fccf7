import type { Content, Kind, Side } from "#protocol/migration/messages.ts";
import type { Database } from "../store/database.ts";
import { other, type Said, type Session } from "./session.ts";

/** Where a message stands in its signer's chain, and what of the other side's its signer had heard. */
export interface Links {
	readonly seq: number;
	readonly prev: string | null;
	readonly heard: string | null;
}

/** Everything both sides of all migrations said: inbox, outbox and receipt in one. Methods may run inside transactions. */
export class Transcript {
	readonly #db: Database;

	constructor(db: Database) {
		this.#db = db;
	}

	/** `acknowledgedAt` null: it is ours, and is sent until it has arrived. */
	add(id: string, said: Said, acknowledgedAt: number | null): void {
		const { side, seq, kind, digest, document, content, at } = said;
		this.#db.run(
			`INSERT INTO migration_message (migration, side, seq, kind, digest, document, content, at, acknowledged_at)
			 VALUES ($id, $side, $seq, $kind, $digest, $document, $content, $at, $acknowledgedAt)`,
			{
				...{ id, side, seq, kind, digest, at, acknowledgedAt },
				...{ document: JSON.stringify(document), content: JSON.stringify(content) },
			},
		);
	}

	/** What a side last said of a kind. */
	last<K extends Kind>(id: string, side: Side, kind: K): Content<K> | undefined {
		const sql = `SELECT content FROM migration_message WHERE migration = $id AND side = $side AND kind = $kind
			ORDER BY seq DESC LIMIT 1`;
		const row = this.#db.get<{ content: string }>(sql, { id, side, kind });
		return row && JSON.parse(row.content);
	}

	/** All that a side said of a kind, in order. */
	all<K extends Kind>(id: string, side: Side, kind: K): Content<K>[] {
		const sql = `SELECT content FROM migration_message WHERE migration = $id AND side = $side AND kind = $kind ORDER BY seq`;
		return this.#db.all<{ content: string }>(sql, { id, side, kind }).map(({ content }) => JSON.parse(content));
	}

	/** Everything both sides said, as it was signed, in the order in which it came about here. */
	said(id: string): Said[] {
		const sql = "SELECT * FROM migration_message WHERE migration = $id ORDER BY at, side, seq";
		return this.#db
			.all<Omit<Said, "document" | "content"> & { document: string; content: string }>(sql, { id })
			.map((row) => ({ ...row, document: JSON.parse(row.document), content: JSON.parse(row.content) }));
	}

	/** When something was last said or heard; undefined: nothing yet. */
	lastAt(id: string): number | undefined {
		const sql = "SELECT max(at) AS at FROM migration_message WHERE migration = $id";
		return this.#db.get<{ at: number | null }>(sql, { id })?.at ?? undefined;
	}

	/** The migrations in which something of ours has not arrived yet. */
	unsent(): string[] {
		const sql = "SELECT DISTINCT migration FROM migration_message WHERE acknowledged_at IS NULL";
		return this.#db.all<{ migration: string }>(sql).map(({ migration }) => migration);
	}

	/** The first of our messages that has not arrived: the one to send. */
	nextUnsent(id: string): { seq: number; document: object } | undefined {
		const sql = `SELECT seq, document FROM migration_message WHERE migration = $id AND acknowledged_at IS NULL
			ORDER BY seq LIMIT 1`;
		const row = this.#db.get<{ seq: number; document: string }>(sql, { id });
		return row && { seq: row.seq, document: JSON.parse(row.document) };
	}

	/** Whether the other node has all that a side has said. */
	isHeard(id: string, side: Side): boolean {
		const sql = `SELECT acknowledged_at AS at FROM migration_message WHERE migration = $id AND side = $side
			ORDER BY seq DESC LIMIT 1`;
		return (this.#db.get<{ at: number | null }>(sql, { id, side })?.at ?? 0) > 0;
	}

	acknowledge(id: string, seq: number, at: number): void {
		const sql = `UPDATE migration_message SET acknowledged_at = $at
			WHERE migration = $id AND seq = $seq AND acknowledged_at IS NULL`;
		this.#db.run(sql, { id, seq, at });
	}

	/** What is left of ours will never be taken, so it is not sent any more. */
	giveUp(id: string): void {
		const sql = "UPDATE migration_message SET acknowledged_at = -1 WHERE migration = $id AND acknowledged_at IS NULL";
		this.#db.run(sql, { id });
	}

	/**
	 * What a side has said after the one with this digest (null: all of it) is sent again. What was given up stays so. Answers whether
	 * that side has said what has this digest.
	 */
	repeat(id: string, side: Side, after: string | null): boolean {
		const known = after === null ? { seq: 0 } : this.#placeOf(id, side, after);
		if (!known) return false;
		const sql = `UPDATE migration_message SET acknowledged_at = NULL
			WHERE migration = $id AND side = $side AND seq > $seq AND acknowledged_at > 0`;
		this.#db.run(sql, { id, side, seq: known.seq });
		return true;
	}

	/** Where the next message of our side stands. */
	next({ id, side }: Session): Links {
		const [mine, theirs] = [this.latest(id, side), this.latest(id, other(side))];
		return { seq: (mine?.seq ?? 0) + 1, prev: mine?.digest ?? null, heard: theirs?.digest ?? null };
	}

	/** What a side said last, as it was signed. */
	latestDocument(id: string, side: Side): object | undefined {
		const sql =
			"SELECT document FROM migration_message WHERE migration = $id AND side = $side ORDER BY seq DESC LIMIT 1";
		const row = this.#db.get<{ document: string }>(sql, { id, side });
		return row && JSON.parse(row.document);
	}

	latest(id: string, side: Side): { seq: number; digest: string } | undefined {
		const sql = `SELECT seq, digest FROM migration_message WHERE migration = $id AND side = $side ORDER BY seq DESC LIMIT 1`;
		return this.#db.get(sql, { id, side });
	}

	at(id: string, side: Side, seq: number): { digest: string } | undefined {
		const sql = "SELECT digest FROM migration_message WHERE migration = $id AND side = $side AND seq = $seq";
		return this.#db.get(sql, { id, side, seq });
	}

	/** Whether a side has said what has this digest. */
	has(id: string, side: Side, digest: string): boolean {
		return this.#placeOf(id, side, digest) !== undefined;
	}

	#placeOf(id: string, side: Side, digest: string): { seq: number } | undefined {
		const sql = "SELECT seq FROM migration_message WHERE migration = $id AND side = $side AND digest = $digest";
		return this.#db.get(sql, { id, side, digest });
	}
}
