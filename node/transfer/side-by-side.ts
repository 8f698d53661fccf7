/** So many volumes are worked on at once: one that waits for a database or the disk keeps no other from going on. */
const atOnce = 4;

/**
 * Does work for each item, several at once, and answers the results in the order of the items. The first failure aborts the
 * others; it is thrown once all of them have ended, so that nothing goes on behind anybody's back.
 */
export async function sideBySide<Item, Result>(
	items: readonly Item[],
	outer: AbortSignal,
	work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
	const failing = new AbortController();
	const signal = AbortSignal.any([outer, failing.signal]);
	const results: Result[] = [];
	const waiting = [...items.entries()];
	const worker = async () => {
		for (let next = waiting.shift(); next && !failing.signal.aborted; next = waiting.shift())
			results[next[0]] = await work(next[1], signal);
	};
	let first: { readonly error: unknown } | undefined;
	const failed = (error: unknown) => {
		first ??= { error };
		failing.abort(error);
	};
	await Promise.all(Array.from({ length: atOnce }, () => worker().catch(failed)));
	if (first) throw first.error;
	return results;
}
