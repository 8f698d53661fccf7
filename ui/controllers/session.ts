import type { Client } from "#protocol/client.ts";
import { Problem } from "#protocol/problem.ts";
import type { Me } from "../views.ts";

/** Who uses the panel in this window. */
export class SessionKeeper {
	/** Null: nobody is signed in. */
	me: Me | null = null;
	/** True when a session ended by itself, so that the sign-in page can say so. */
	expired = false;
	readonly #api: Client;
	readonly #changed: () => void;

	constructor(api: Client, changed: () => void) {
		this.#api = api;
		this.#changed = changed;
	}

	/** Asks the node who this is; being nobody is no error. */
	async open(): Promise<void> {
		this.me = await this.#api("GET /me").catch((error: unknown) => {
			if (error instanceof Problem && error.code === "not-signed-in") return null;
			throw error;
		});
		this.expired = false;
		this.#changed();
	}

	async signIn(email: string, password: string): Promise<void> {
		this.become(await this.#api("POST /sign-in", { body: { email, password } }));
	}

	async signUp(body: { voucher: string; email: string; password: string; name: string; language: Me["language"] }) {
		this.become(await this.#api("POST /sign-up", { body }));
	}

	async change(body: { name?: string; language?: Me["language"] }): Promise<void> {
		this.become(await this.#api("PATCH /me", { body }));
	}

	/** Ends this session, at the node and here. */
	async signOut(): Promise<void> {
		await this.#api("POST /sign-out");
		this.me = null;
		this.#changed();
	}

	/** The node says that the session is over. */
	ended(): void {
		if (!this.me) return;
		this.me = null;
		this.expired = true;
		this.#changed();
	}

	become(me: Me): void {
		this.me = me;
		this.expired = false;
		this.#changed();
	}
}
