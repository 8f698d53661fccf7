import { randomBytes, randomUUID } from "node:crypto";
import type { z } from "zod";
import type { NoticeSettings as View } from "#protocol/api/notice.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Database } from "../store/database.ts";

export type Wish = z.output<typeof View>;

/** For whoever has not said anything: told of everything, by mail and in the browser. */
const byDefault: Wish = { mail: true, browser: true, webhook: null, successes: true };

interface Row {
	mail: number;
	browser: number;
	webhook: string | null;
	webhook_secret: string | null;
	successes: number;
}

/** How each customer wants to be told. */
export class NoticeSettings {
	readonly #database: Database;
	readonly #vault: Vault;
	readonly #privateWebhooks: boolean;

	/** `privateWebhooks` lets webhooks lead to this machine and its networks: for the demo and tests only. */
	constructor(database: Database, vault: Vault, { privateWebhooks = false } = {}) {
		this.#database = database;
		this.#vault = vault;
		this.#privateWebhooks = privateWebhooks;
	}

	of(customer: string): Wish {
		const row = this.#row(customer);
		if (!row) return byDefault;
		return { mail: row.mail === 1, browser: row.browser === 1, webhook: row.webhook, successes: row.successes === 1 };
	}

	/**
	 * Changes them all. A webhook with a new address gets a new secret, told this once; the same address keeps its own.
	 * What waits for a channel that was switched off is given up; what waits for the webhook goes to its new address.
	 * Throws `webhook-not-valid`.
	 */
	async change(customer: string, wish: Wish): Promise<{ settings: Wish; webhookSecret: string | null }> {
		const webhook = wish.webhook === null ? null : await this.#address(wish.webhook);
		const isNew = webhook !== null && webhook !== this.of(customer).webhook;
		const fresh = isNew ? await this.#newSecret(customer) : null;
		const settings = { ...wish, webhook };
		const left = this.#database.transaction(() => {
			const before = this.#row(customer)?.webhook_secret ?? null;
			const secret = webhook === null ? null : (fresh?.name ?? before);
			this.#write(customer, settings, secret);
			this.#redirect(customer, settings);
			return before !== secret ? before : null;
		});
		if (left) await this.#vault.remove(left);
		return { settings, webhookSecret: fresh?.value ?? null };
	}

	/** The secret of this customer's webhook; undefined when there is none. */
	async webhookSecret(customer: string): Promise<string | undefined> {
		const name = this.#row(customer)?.webhook_secret;
		return name ? await this.#vault.get(name) : undefined;
	}

	async #address(wished: string): Promise<string> {
		const { webhookAddress } = await import("./webhook-address.ts");
		return webhookAddress(wished, this.#privateWebhooks);
	}

	/** Each has a name of its own, so that the address and its secret change together or not at all. */
	async #newSecret(customer: string): Promise<{ name: string; value: string }> {
		const name = `notices/${customer}/${randomUUID()}`;
		const value = `whsec_${randomBytes(32).toString("base64")}`;
		await this.#vault.put(name, value);
		return { name, value };
	}

	#write(customer: string, { mail, browser, webhook, successes }: Wish, secret: string | null) {
		this.#database.run(
			`INSERT INTO notice_setting (customer, mail, browser, webhook, webhook_secret, successes)
			VALUES ($customer, $mail, $browser, $webhook, $secret, $successes)
			ON CONFLICT (customer) DO UPDATE SET mail = $mail, browser = $browser, webhook = $webhook,
				webhook_secret = $secret, successes = $successes`,
			{ customer, mail: Number(mail), browser: Number(browser), webhook, secret, successes: Number(successes) },
		);
	}

	#redirect(customer: string, { mail, webhook }: Wish) {
		const waiting = "state = 'waiting' AND notice IN (SELECT id FROM notice WHERE customer = $customer)";
		const stop = `UPDATE delivery SET state = 'given-up', next_at = NULL, last_error = 'Switched off' WHERE ${waiting}`;
		if (!mail) this.#database.run(`${stop} AND channel = 'mail'`, { customer });
		if (webhook === null) this.#database.run(`${stop} AND channel = 'webhook'`, { customer });
		else
			this.#database.run(`UPDATE delivery SET target = $webhook WHERE ${waiting} AND channel = 'webhook'`, {
				customer,
				webhook,
			});
	}

	#row(customer: string): Row | undefined {
		return this.#database.get<Row>("SELECT * FROM notice_setting WHERE customer = $customer", { customer });
	}
}
