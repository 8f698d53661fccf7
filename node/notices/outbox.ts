import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { Database } from "../store/database.ts";
import type { ChannelName } from "./channel.ts";
import { type Notice, type Notices, successes } from "./notice.ts";
import type { Sender } from "./sender.ts";
import type { NoticeSettings } from "./settings.ts";

export interface OutboxParts {
	readonly database: Database;
	readonly settings: Pick<NoticeSettings, "of">;
	readonly sender: Pick<Sender, "has" | "wake">;
	/** Called when this customer may have a new notice. */
	readonly told?: (customer: string) => void;
	readonly now?: () => number;
}

/**
 * Takes notices. A notice and its deliveries are rows of the caller's own transaction: what was told is sent even if
 * the power fails now, and what was rolled back never is. Sending is the sender's business.
 */
export class Outbox implements Notices {
	readonly #database: Database;
	readonly #settings: Pick<NoticeSettings, "of">;
	readonly #sender: Pick<Sender, "has" | "wake">;
	readonly #told: (customer: string) => void;
	readonly #now: () => number;

	constructor({ database, settings, sender, told = () => {}, now = Date.now }: OutboxParts) {
		this.#database = database;
		this.#settings = settings;
		this.#sender = sender;
		this.#told = told;
		this.#now = now;
	}

	/**
	 * Writes down the notice and what is to be sent of it; the same key again changes nothing.
	 * Fails only if the store itself does, and then the caller's transaction is lost anyway.
	 */
	tell(notice: Notice): void {
		const email = this.#emailOf(notice.customer);
		if (email === undefined) log().error("A notice for a customer who does not exist: {key}", { key: notice.key });
		if (email === undefined || !this.#database.transaction(() => this.#write(notice, email))) return;
		// Later than the transaction that this may be a part of: only what is committed is seen and sent.
		setImmediate(() => this.#told(notice.customer));
		this.#sender.wake();
	}

	/** Tells a test notice, which goes out by every channel the customer has; asking again within ten seconds is the same one. */
	test(customer: string): void {
		const key = `test:${customer}:${Math.floor(this.#now() / 10_000)}`;
		this.tell({ key, customer, kind: "test", params: {}, link: "/account" });
	}

	#write({ key, customer, kind, params, link = undefined }: Notice, email: string): boolean {
		const id = randomUUID();
		const { changes } = this.#database.run(
			`INSERT INTO notice (id, key, customer, kind, params, link, at)
			VALUES ($id, $key, $customer, $kind, $params, $link, $now) ON CONFLICT (key) DO NOTHING`,
			{ id, key, customer, kind, params: JSON.stringify(params), link: link ?? null, now: this.#now() },
		);
		if (changes === 0) return false;
		const wish = this.#settings.of(customer);
		if (!successes.has(kind) || wish.successes) {
			if (wish.mail) this.#post(id, "mail", email);
			if (wish.webhook) this.#post(id, "webhook", wish.webhook);
		}
		return true;
	}

	#post(notice: string, channel: ChannelName, target: string) {
		if (!this.#sender.has(channel)) return;
		this.#database.run(
			`INSERT INTO delivery (id, notice, channel, target, state, next_at)
			VALUES ($id, $notice, $channel, $target, 'waiting', $now)`,
			{ id: randomUUID(), notice, channel, target, now: this.#now() },
		);
	}

	#emailOf(customer: string): string | undefined {
		return this.#database.get<{ email: string }>("SELECT email FROM customer WHERE id = $customer", { customer })
			?.email;
	}
}

function log() {
	return getLogger(["fediversity", "notices"]);
}
