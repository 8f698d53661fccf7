import type { Page } from "#protocol/api/page.ts";

/** All items of a list that comes in pages. */
export async function everyPage<Item>(
	fetchPage: (query: { limit: number; after?: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
	const found: Item[] = [];
	for (let after: string | null | undefined; after !== null; ) {
		const page = await fetchPage({ limit: 200, ...(after && { after }) });
		found.push(...page.items);
		after = page.next;
	}
	return found;
}
