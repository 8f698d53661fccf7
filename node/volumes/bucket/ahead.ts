/**
 * Does work for each item, at most `limit` at a time, and gives what comes of it in the order of the items. Who stops
 * listening, or meets an error, leaves nothing at work: its signal tells what is still under way.
 */
export async function* ahead<Item, Result>(
	items: Iterable<Item> | AsyncIterable<Item>,
	limit: number,
	signal: AbortSignal,
	work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncIterable<Result> {
	const stop = new AbortController();
	const both = AbortSignal.any([signal, stop.signal]);
	const underWay: Promise<Result>[] = [];
	try {
		for await (const item of items) {
			const one = work(item, both);
			// Whoever waits for it learns of it; until then it must not count as nobody's.
			one.catch(() => {});
			underWay.push(one);
			if (underWay.length >= limit) yield (await underWay.shift()) as Result;
		}
		while (underWay.length > 0) yield (await underWay.shift()) as Result;
	} finally {
		stop.abort();
		await Promise.allSettled(underWay);
	}
}

/** The same for all items, without results to wait for one by one. */
export async function each<Item>(
	items: Iterable<Item> | AsyncIterable<Item>,
	limit: number,
	signal: AbortSignal,
	work: (item: Item, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
	for await (const _ of ahead(items, limit, signal, work));
}
