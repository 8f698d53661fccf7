import type { z } from "zod";
import type { DeliveryView, NoticeView } from "#protocol/api/notice.ts";
import type { Page } from "#protocol/api/page.ts";
import { fill, Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type NoticeKind, noticeSentences } from "./notice.ts";

type View = z.output<typeof NoticeView>;
type Delivery = z.output<typeof DeliveryView>;

interface Row {
	seq: number;
	id: string;
	kind: NoticeKind;
	params: string;
	link: string | null;
	at: number;
	read_at: number | null;
}

interface DeliveryRow extends Row {
	delivery: string;
	channel: Delivery["channel"];
	state: Delivery["state"];
	attempts: number;
	last_error: string | null;
	next_at: number | null;
}

export interface NoticeEvent {
	readonly seq: number;
	readonly event: "notice";
	readonly data: View;
}

/** What each customer was told, as they find it in the panel. */
export class KeptNotices {
	readonly #database: Database;
	readonly #now: () => number;
	readonly #readers = new Map<string, Set<() => void>>();

	constructor(database: Database, now: () => number = Date.now) {
		this.#database = database;
		this.#now = now;
	}

	/** Newest first. */
	page(customer: string, ask: Ask): Page<View> {
		const sql = `SELECT * FROM notice WHERE customer = $customer AND seq < $before ORDER BY seq DESC LIMIT $most`;
		return pageOf(ask, (bounds) => this.#database.all<Row>(sql, { customer, ...bounds }), viewOf);
	}

	/** What became of mails and webhooks, newest first. */
	deliveries(customer: string, ask: Ask): Page<Delivery> {
		const sql = `SELECT n.id, n.kind, n.params, n.link, n.at, n.read_at,
				d.seq, d.id AS delivery, d.channel, d.state, d.attempts, d.last_error, d.next_at
			FROM delivery d JOIN notice n ON n.id = d.notice
			WHERE n.customer = $customer AND d.seq < $before ORDER BY d.seq DESC LIMIT $most`;
		return pageOf(ask, (bounds) => this.#database.all<DeliveryRow>(sql, { customer, ...bounds }), deliveryOf);
	}

	unread(customer: string): number {
		const sql = "SELECT count(*) AS unread FROM notice WHERE customer = $customer AND read_at IS NULL";
		return this.#database.get<{ unread: number }>(sql, { customer })?.unread ?? 0;
	}

	/** Marks this notice and all before it; again changes nothing. Throws `not-found`, also for another customer's. */
	readUpTo(customer: string, id: string): void {
		const sql = "SELECT seq FROM notice WHERE id = $id AND customer = $customer";
		const upTo = this.#database.get<{ seq: number }>(sql, { id, customer })?.seq;
		if (upTo === undefined) throw new Problem("not-found");
		this.#database.run(
			"UPDATE notice SET read_at = $now WHERE customer = $customer AND seq <= $upTo AND read_at IS NULL",
			{ customer, upTo, now: this.#now() },
		);
	}

	/**
	 * Every notice after that `seq` (undefined: from now on), those that are there and then those that come, until aborted.
	 * A `seq` that is not reached yet is from another life of this node; it counts as now.
	 */
	async *events(customer: string, after: number | undefined, signal: AbortSignal): AsyncGenerator<NoticeEvent> {
		let seen = Math.min(after ?? Number.MAX_SAFE_INTEGER, this.#latest(customer));
		const sql = "SELECT * FROM notice WHERE customer = $customer AND seq > $seen ORDER BY seq LIMIT 100";
		while (!signal.aborted) {
			const rows = this.#database.all<Row>(sql, { customer, seen });
			for (const row of rows) {
				yield { seq: row.seq, event: "notice", data: viewOf(row) };
				seen = row.seq;
			}
			if (rows.length === 0) await this.#more(customer, signal);
		}
	}

	/** Says that there may be something new: whoever reads this customer's events looks again. */
	ring(customer: string): void {
		for (const wake of [...(this.#readers.get(customer) ?? [])]) wake();
	}

	#latest(customer: string): number {
		const sql = "SELECT max(seq) AS seq FROM notice WHERE customer = $customer";
		return this.#database.get<{ seq: number | null }>(sql, { customer })?.seq ?? 0;
	}

	async #more(customer: string, signal: AbortSignal): Promise<void> {
		const { promise, resolve } = Promise.withResolvers<void>();
		const wake = () => resolve();
		const readers = this.#readers.get(customer) ?? new Set();
		this.#readers.set(customer, readers.add(wake));
		signal.addEventListener("abort", wake, { once: true });
		await promise;
		signal.removeEventListener("abort", wake);
		readers.delete(wake);
		if (readers.size === 0) this.#readers.delete(customer);
	}
}

function viewOf({ id, kind, params, link, at, read_at }: Row): View {
	const told = JSON.parse(params) as Record<string, string>;
	return {
		...{ id, kind, link, params: told, read: read_at !== null },
		text: fill(noticeSentences[kind], told),
		at: new Date(at).toISOString(),
	};
}

function deliveryOf(row: DeliveryRow): Delivery {
	const { delivery: id, channel, state, attempts, last_error, next_at } = row;
	return {
		...{ id, notice: viewOf(row), channel, state, attempts, lastError: last_error },
		nextAttemptAt: next_at === null ? null : new Date(next_at).toISOString(),
	};
}

interface Ask {
	after?: string | undefined;
	limit: number;
}

/** Rows are counted, so the number of the last one shown is the cursor. */
function pageOf<Row extends { seq: number }, Item>(
	{ after, limit }: Ask,
	read: (bounds: { before: number; most: number }) => Row[],
	item: (row: Row) => Item,
): Page<Item> {
	if (after !== undefined && !/^\d{1,15}$/.test(after))
		throw new Problem("not-valid", {}, { errors: [{ pointer: "/after", detail: "Use `next` of the page before" }] });
	const rows = read({ before: after === undefined ? Number.MAX_SAFE_INTEGER : Number(after), most: limit + 1 });
	const shown = rows.slice(0, limit);
	return { items: shown.map(item), next: rows.length > limit ? String(shown.at(-1)?.seq) : null };
}
