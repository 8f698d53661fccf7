/** How much may be under way at a time. */
export interface Limits {
	readonly count: number;
	/** Bytes in memory, where the items have any; one item alone may be above it. */
	readonly bytes?: number;
}

/**
 * Does work for each item, within the limits, and gives what comes of it in the order of the items. Who stops listening,
 * or meets an error, leaves nothing at work: its signal tells what is still under way.
 */
export async function* ahead<Item, Result>(
	items: Iterable<Item> | AsyncIterable<Item>,
	limits: Limits,
	signal: AbortSignal,
	work: (item: Item, signal: AbortSignal) => Promise<Result>,
	bytesOf: (item: Item) => number = () => 0,
): AsyncIterable<Result> {
	const stop = new AbortController();
	const both = AbortSignal.any([signal, stop.signal]);
	const underWay: { readonly result: Promise<Result>; readonly bytes: number }[] = [];
	let held = 0;
	const next = async () => {
		const first = underWay.shift() as (typeof underWay)[number];
		held -= first.bytes;
		return first.result;
	};
	try {
		for await (const item of items) {
			const bytes = bytesOf(item);
			while (underWay.length >= limits.count || (held > 0 && held + bytes > (limits.bytes ?? Number.POSITIVE_INFINITY)))
				yield await next();
			const result = work(item, both);
			// Whoever waits for it learns of it; until then it must not count as nobody's.
			result.catch(() => {});
			underWay.push({ result, bytes });
			held += bytes;
		}
		while (underWay.length > 0) yield await next();
	} finally {
		stop.abort();
		await Promise.allSettled(underWay.map(({ result }) => result));
	}
}

/** The same for all items, without results to wait for one by one. */
export async function each<Item>(
	items: Iterable<Item> | AsyncIterable<Item>,
	limits: Limits,
	signal: AbortSignal,
	work: (item: Item, signal: AbortSignal) => Promise<unknown>,
	bytesOf?: (item: Item) => number,
): Promise<void> {
	for await (const _ of ahead(items, limits, signal, work, bytesOf));
}
