import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";

export interface PageAsk {
	after?: string | undefined;
	limit: number;
}

/** For `WHERE (created_at, id) < ($at, $id) ORDER BY created_at DESC, id DESC LIMIT $most`. */
export interface Bounds extends Record<string, string | number> {
	at: number;
	id: string;
	most: number;
}

/**
 * One page of a list, newest first. The cursor names the place and not a row, so it holds when that row is gone;
 * one that we did not make is `not-valid`.
 */
export function page<Row extends { id: string; created_at: number }, Item>(
	ask: PageAsk,
	read: (bounds: Bounds) => Row[],
	item: (row: Row) => Item,
): Page<Item> {
	const rows = read({ ...place(ask.after), most: ask.limit + 1 });
	const shown = rows.slice(0, ask.limit);
	const last = shown.at(-1);
	return { items: shown.map(item), next: rows.length > ask.limit && last ? `${last.created_at}_${last.id}` : null };
}

function place(after: string | undefined) {
	if (after === undefined) return { at: Number.MAX_SAFE_INTEGER, id: "" };
	const [, at, id] = /^(\d{1,15})_(.{1,64})$/.exec(after) ?? [];
	if (!at || !id)
		throw new Problem("not-valid", {}, { errors: [{ pointer: "/after", detail: "Use `next` of the page before" }] });
	return { at: Number(at), id };
}
