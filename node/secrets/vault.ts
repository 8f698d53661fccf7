/** Keeps secrets that come into being while the node runs. Two of them: `sealed` (our own) and `passbolt`. */
export interface Vault {
	/** The secret, made by `make` the first time anyone asks for it; later callers get the first one. */
	obtain(name: string, make: () => string | Promise<string>): Promise<string>;
	/** The secret, or undefined if there is none by this name. */
	get(name: string): Promise<string | undefined>;
	put(name: string, value: string): Promise<void>;
	/** The names that begin so, sorted. */
	names(prefix: string): Promise<string[]>;
	/** Removes this secret; with a `/` at the end, all whose names begin so. Removing twice is fine. */
	remove(name: string): Promise<void>;
}
