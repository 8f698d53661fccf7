import type { Vault } from "./vault.ts";

/** A vault for tests and trials: it forgets everything with the process. */
export class MemoryVault implements Vault {
	readonly #secrets = new Map<string, string>();
	readonly #making = new Map<string, Promise<string>>();

	async obtain(name: string, make: () => string | Promise<string>): Promise<string> {
		const known = this.#secrets.get(name) ?? this.#making.get(name);
		if (known !== undefined) return known;
		const making = this.#make(name, make).finally(() => this.#making.delete(name));
		this.#making.set(name, making);
		return making;
	}

	async get(name: string): Promise<string | undefined> {
		return this.#secrets.get(name);
	}

	async put(name: string, value: string): Promise<void> {
		this.#secrets.set(name, value);
	}

	async names(prefix: string): Promise<string[]> {
		return [...this.#secrets.keys()].filter((name) => name.startsWith(prefix)).sort();
	}

	async remove(name: string): Promise<void> {
		const isMeant = (key: string) => key === name || (name.endsWith("/") && key.startsWith(name));
		for (const key of [...this.#secrets.keys()].filter(isMeant)) this.#secrets.delete(key);
	}

	async #make(name: string, make: () => string | Promise<string>): Promise<string> {
		const value = await make();
		if (!this.#secrets.has(name)) this.#secrets.set(name, value);
		return this.#secrets.get(name) ?? value;
	}
}
