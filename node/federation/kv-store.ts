import type { KvKey, KvStore, KvStoreListEntry, KvStoreSetOptions } from "@fedify/fedify";
import type { Database } from "../store/database.ts";

/** What Fedify remembers: documents it fetched, activities it has seen. Values are JSON; what has expired is not there. */
export class SqliteKvStore implements KvStore {
	readonly #database: Database;
	readonly #now: () => number;

	constructor(database: Database, now: () => number = Date.now) {
		this.#database = database;
		this.#now = now;
		database.run("DELETE FROM federation_kv WHERE expires_at <= $now", { now: now() });
	}

	async get<T = unknown>(key: KvKey): Promise<T | undefined> {
		return this.#read(key) as T | undefined;
	}

	async set(key: KvKey, value: unknown, options?: KvStoreSetOptions): Promise<void> {
		this.#write(key, value, options);
	}

	async delete(key: KvKey): Promise<void> {
		this.#write(key, undefined);
	}

	async cas(key: KvKey, expected: unknown, value: unknown, options?: KvStoreSetOptions): Promise<boolean> {
		return this.#database.transaction(() => {
			const isAsExpected = JSON.stringify(this.#read(key)) === JSON.stringify(expected);
			if (isAsExpected) this.#write(key, value, options);
			return isAsExpected;
		});
	}

	async *list(prefix: KvKey = [] as unknown as KvKey): AsyncIterable<KvStoreListEntry> {
		const begin = JSON.stringify(prefix).slice(0, -1); // Ends with a quote, so only whole parts fit.
		const rows = this.#database.all<{ key: string; value: string }>(
			`SELECT key, value FROM federation_kv
			WHERE substr(key, 1, length($begin)) = $begin AND coalesce(expires_at > $now, true) ORDER BY key`,
			{ begin, now: this.#now() },
		);
		for (const { key, value } of rows) yield { key: JSON.parse(key), value: JSON.parse(value) };
	}

	#read(key: KvKey): unknown {
		const sql = "SELECT value FROM federation_kv WHERE key = $key AND coalesce(expires_at > $now, true)";
		const row = this.#database.get<{ value: string }>(sql, { key: JSON.stringify(key), now: this.#now() });
		return row && JSON.parse(row.value);
	}

	#write(key: KvKey, value: unknown, { ttl }: KvStoreSetOptions = {}): void {
		const name = JSON.stringify(key);
		if (value === undefined) return void this.#database.run("DELETE FROM federation_kv WHERE key = $name", { name });
		this.#database.run("INSERT OR REPLACE INTO federation_kv (key, value, expires_at) VALUES ($name, $value, $until)", {
			...{ name, value: JSON.stringify(value) },
			until: ttl ? this.#now() + Math.ceil(ttl.total("milliseconds")) : null,
		});
	}
}
