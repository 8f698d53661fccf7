/**
 * The same items, the next one asked for before the one at hand is used, so that who makes them and who uses them
 * both work. An item must therefore stay as it is until the second one after it is asked for.
 */
export async function* ahead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void, void> {
	const iterator = items[Symbol.asyncIterator]();
	const next = () => {
		const coming = iterator.next();
		// Its failure is met where it is awaited.
		coming.catch(() => {});
		return coming;
	};
	let coming = next();
	try {
		for (let item = await coming; !item.done; item = await coming) {
			coming = next();
			yield item.value;
		}
	} finally {
		await coming.catch(() => {});
		await iterator.return?.();
	}
}
