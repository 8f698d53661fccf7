import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { Problem } from "#protocol/problem.ts";
import type { Vault } from "../secrets/vault.ts";
import type { Database } from "../store/database.ts";

/** What of an answer is given again. */
export interface Remembered {
	readonly status: number;
	readonly location: string | null;
	readonly body: string | null;
}

interface Row {
	request_hash: Buffer;
	sealed: Buffer | null;
	at: number;
}

const day = 86_400_000;

/**
 * Carries a request with an `Idempotency-Key` out once (draft-ietf-httpapi-idempotency-key-header): for a day the same key
 * with the same request gets the first answer. Only success is remembered; after a failure the key is free again.
 * Answers may hold secrets that are told once, so they are sealed by a key that only the vault has.
 */
export class Idempotency {
	readonly #db: Database;
	readonly #vault: Vault;
	readonly #now: () => number;

	/**
	 * What was in flight when the node was killed is free to be asked again: nobody knows whether it was done, and
	 * what must not be done twice (a deployment for a domain, a job for a deployment) the database refuses itself.
	 */
	constructor(db: Database, vault: Vault, now: () => number) {
		this.#db = db;
		this.#vault = vault;
		this.#now = now;
		db.run("DELETE FROM idempotency WHERE sealed IS NULL");
	}

	/** Throws `key-reused` for another request with the key, `key-busy` while the first is under way. */
	async once(customer: string, key: string, request: string, work: () => Promise<Remembered>): Promise<Remembered> {
		const hash = createHash("sha256").update(request).digest();
		const seal = await this.#sealKey();
		const before = this.#begin(customer, key, hash);
		if (before) return JSON.parse(opened(seal, before, `${customer} ${key}`));
		try {
			const answer = await work();
			const sealed = sealedBy(seal, JSON.stringify(answer), `${customer} ${key}`);
			const sql = "UPDATE idempotency SET sealed = $sealed WHERE customer = $customer AND key = $key";
			this.#db.run(sql, { customer, key, sealed });
			return answer;
		} catch (error) {
			const sql = "DELETE FROM idempotency WHERE customer = $customer AND key = $key AND sealed IS NULL";
			this.#db.run(sql, { customer, key });
			throw error;
		}
	}

	/** The sealed answer from before; undefined when this request is the first and now holds the key. */
	#begin(customer: string, key: string, hash: Buffer): Buffer | undefined {
		return this.#db.transaction(() => {
			const now = this.#now();
			// Both ways, so that a clock set back does not keep answers for longer.
			this.#db.run("DELETE FROM idempotency WHERE sealed IS NOT NULL AND abs($now - at) > $day", { now, day });
			const row = this.#db.get<Row>("SELECT * FROM idempotency WHERE customer = $customer AND key = $key", {
				customer,
				key,
			});
			if (row && !row.request_hash.equals(hash)) throw new Problem("key-reused");
			if (row && !row.sealed) throw new Problem("key-busy");
			if (row?.sealed) return row.sealed;
			const sql = "INSERT INTO idempotency (customer, key, request_hash, at) VALUES ($customer, $key, $hash, $now)";
			this.#db.run(sql, { customer, key, hash, now });
			return undefined;
		});
	}

	async #sealKey(): Promise<Buffer> {
		return Buffer.from(await this.#vault.obtain("web/idempotency", () => randomBytes(32).toString("base64")), "base64");
	}
}

/** AES-256-GCM: 12 bytes nonce, 16 bytes tag, the rest. `bound` ties it to its row. */
function sealedBy(key: Buffer, text: string, bound: string): Buffer {
	const nonce = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(bound));
	const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
	return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function opened(key: Buffer, sealed: Buffer, bound: string): string {
	const cipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12)).setAAD(Buffer.from(bound));
	cipher.setAuthTag(sealed.subarray(12, 28));
	return Buffer.concat([cipher.update(sealed.subarray(28)), cipher.final()]).toString();
}
