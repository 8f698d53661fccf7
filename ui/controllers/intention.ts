import { Problem } from "#protocol/problem.ts";

/**
 * Something that somebody wants done once, however often it has to be asked for (`Idempotency-Key`).
 * The key stays the same until the node has answered, and as long as the wish is the same.
 */
export class Intention {
	#key = randomKey();
	#wish = "";

	/** Asks with the key of this wish. */
	async carry<Answer>(wish: unknown, ask: (idempotencyKey: string) => Promise<Answer>): Promise<Answer> {
		const written = JSON.stringify(wish);
		if (this.#wish && this.#wish !== written) this.#answered();
		this.#wish = written;
		try {
			const answer = await ask(this.#key);
			this.#answered();
			return answer;
		} catch (error) {
			if (error instanceof Problem && error.code !== "key-busy") this.#answered();
			throw error;
		}
	}

	#answered(): void {
		this.#key = randomKey();
		this.#wish = "";
	}
}

/** Not `crypto.randomUUID`, which a page without https does not have. */
function randomKey(): string {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
