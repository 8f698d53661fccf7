/** The ends of all volumes of each migration, opened when first needed, also after a restart, and kept open until closed. */
export class Ends<End> {
	readonly #open = new Map<string, Promise<readonly End[]>>();
	readonly #close: (end: End) => Promise<void>;

	constructor(close: (end: End) => Promise<void>) {
		this.#close = close;
	}

	/** Those of a migration. After a failure the next one who asks tries again. */
	of(migration: string, open: () => Promise<readonly End[]>): Promise<readonly End[]> {
		const known = this.#open.get(migration);
		if (known) return known;
		const opening = open();
		this.#open.set(migration, opening);
		opening.catch(() => this.#open.delete(migration));
		return opening;
	}

	/** A second time does nothing. */
	async close(migration: string): Promise<void> {
		const ends = await this.#open.get(migration)?.catch(() => []);
		this.#open.delete(migration);
		for (const end of ends ?? []) await this.#close(end);
	}

	async closeAll(): Promise<void> {
		await Promise.all([...this.#open.keys()].map((migration) => this.close(migration)));
	}
}
