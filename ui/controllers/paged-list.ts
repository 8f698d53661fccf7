import type { ReactiveControllerHost } from "lit";
import { Task } from "./task.ts";

interface Page<Item> {
	items: Item[];
	next: string | null;
}

/** A list that comes in pages: the first at once, the others when they are asked for. */
export class PagedList<Item> {
	readonly first: Task<Page<Item>>;
	loading = false;
	readonly #host: ReactiveControllerHost;
	readonly #fetch: (after: string | undefined, signal?: AbortSignal) => Promise<Page<Item>>;

	constructor(
		host: ReactiveControllerHost,
		fetch: (after: string | undefined, signal?: AbortSignal) => Promise<Page<Item>>,
	) {
		this.#host = host;
		this.#fetch = fetch;
		this.first = new Task(host, (signal) => fetch(undefined, signal));
	}

	get items(): readonly Item[] {
		return this.first.value?.items ?? [];
	}

	get hasMore(): boolean {
		return this.first.value?.next != null;
	}

	/** Adds the next page; a failure leaves the button where it was. */
	more = async (): Promise<void> => {
		const known = this.first.value;
		if (!known?.next || this.loading) return;
		this.loading = true;
		this.#host.requestUpdate();
		try {
			const page = await this.#fetch(known.next);
			this.first.set({ items: [...known.items, ...page.items], next: page.next });
		} finally {
			this.loading = false;
			this.#host.requestUpdate();
		}
	};
}

/** Every item of a list, page after page. */
export async function all<Item>(fetch: (after: string | undefined) => Promise<Page<Item>>): Promise<Item[]> {
	const items: Item[] = [];
	let after: string | undefined;
	do {
		const page = await fetch(after);
		items.push(...page.items);
		after = page.next ?? undefined;
	} while (after);
	return items;
}
