/** What somebody typed and has not sent, kept for this tab so that a reload or a sign-out loses nothing. Never a password. */
export class Draft<Values extends object> {
	readonly #key: string;
	readonly #kept: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined;

	constructor(name: string, kept = storage()) {
		this.#key = `draft:${name}`;
		this.#kept = kept;
	}

	/** What is kept, over what stands there by default. */
	read(otherwise: Values): Values {
		try {
			return { ...otherwise, ...JSON.parse(this.#kept?.getItem(this.#key) ?? "{}") };
		} catch {
			return otherwise;
		}
	}

	write(values: Values): void {
		try {
			this.#kept?.setItem(this.#key, JSON.stringify(values));
		} catch {
			// A full storage costs the draft, not the page.
		}
	}

	clear(): void {
		this.#kept?.removeItem(this.#key);
	}
}

/** Some privacy settings forbid storage altogether. */
function storage(): Storage | undefined {
	try {
		return sessionStorage;
	} catch {
		return undefined;
	}
}
