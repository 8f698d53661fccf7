import { hkdfSync, timingSafeEqual } from "node:crypto";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { makeMasterKey, readMasterKey } from "./master-key.ts";
import type { Vault } from "./vault.ts";

const format = 1;
const nonceBytes = 24;

/**
 * Our own vault: each secret is a row, sealed with XChaCha20-Poly1305 under a key derived from the master key.
 * The name is authenticated too, so rows that change places do not open. The database alone gives nothing away
 * but names, lengths and times.
 */
export class SealedVault implements Vault {
	readonly #database: Database;
	readonly #now: () => number;
	readonly #key: Uint8Array;
	readonly #making = new Map<string, Promise<string>>();

	/**
	 * Reads the master key, or makes it when this store has never had one; so a lost key file is an error and
	 * never a new key. Throws a `vault-key-…` problem, at once, when the key is not this store's.
	 */
	constructor(database: Database, keyFile: string, now: () => number = Date.now) {
		this.#database = database;
		this.#now = now;
		const master = masterKey(database, keyFile);
		bind(database, derived(master, "fingerprint"), keyFile);
		this.#key = derived(master, "seal");
	}

	async obtain(name: string, make: () => string | Promise<string>): Promise<string> {
		const known = await this.get(name);
		if (known !== undefined) return known;
		const underWay = this.#making.get(name);
		if (underWay) return underWay;
		const making = this.#make(name, make).finally(() => this.#making.delete(name));
		this.#making.set(name, making);
		return making;
	}

	async get(name: string): Promise<string | undefined> {
		const row = this.#database.get<{ sealed: Buffer }>("SELECT sealed FROM secret WHERE name = $name", { name });
		return row && this.#opened(name, row.sealed);
	}

	async put(name: string, value: string): Promise<void> {
		const sealed = await this.#sealed(name, value);
		this.#database.run(
			`INSERT INTO secret (name, sealed, changed_at) VALUES ($name, $sealed, $now)
			ON CONFLICT (name) DO UPDATE SET sealed = $sealed, changed_at = $now`,
			{ name, sealed, now: this.#now() },
		);
	}

	async names(prefix: string): Promise<string[]> {
		const sql = "SELECT name FROM secret WHERE substr(name, 1, length($prefix)) = $prefix ORDER BY name";
		return this.#database.all<{ name: string }>(sql, { prefix }).map(({ name }) => name);
	}

	async remove(name: string): Promise<void> {
		this.#database.run(
			`DELETE FROM secret WHERE name = $name OR ($name LIKE '%/' AND substr(name, 1, length($name)) = $name)`,
			{ name },
		);
	}

	/** Whoever writes first wins, be it another process; all others take what was written. */
	async #make(name: string, make: () => string | Promise<string>): Promise<string> {
		const value = await make();
		const sealed = await this.#sealed(name, value);
		this.#database.run(
			"INSERT INTO secret (name, sealed, changed_at) VALUES ($name, $sealed, $now) ON CONFLICT (name) DO NOTHING",
			{ name, sealed, now: this.#now() },
		);
		return (await this.get(name)) ?? value;
	}

	async #sealed(name: string, value: string): Promise<Buffer> {
		const sodium = await loaded();
		const nonce = sodium.randombytes_buf(nonceBytes);
		const box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(value, name, null, nonce, this.#key);
		return Buffer.concat([Buffer.of(format), nonce, box]);
	}

	async #opened(name: string, sealed: Buffer): Promise<string> {
		const sodium = await loaded();
		const nonce = sealed.subarray(1, 1 + nonceBytes);
		const box = sealed.subarray(1 + nonceBytes);
		try {
			if (sealed[0] !== format) throw new Error(`sealed in a format of number ${sealed[0]}`);
			return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, box, name, nonce, this.#key, "text");
		} catch (cause) {
			throw new Problem("vault-damaged", { name }, { cause });
		}
	}
}

/** The first time of a store makes its key; a store that has been sealed needs the key it has. */
function masterKey(database: Database, file: string): Buffer {
	const key = readMasterKey(file);
	if (key) return key;
	if (fingerprintOf(database)) throw new Problem("vault-key-missing", { file });
	return makeMasterKey(file);
}

/** Ties the store to this key by a fingerprint from which the key cannot be found. */
function bind(database: Database, fingerprint: Buffer, file: string) {
	database.run("INSERT INTO vault (id, fingerprint) VALUES (1, $fingerprint) ON CONFLICT DO NOTHING", { fingerprint });
	const bound = fingerprintOf(database);
	if (!bound || !timingSafeEqual(bound, fingerprint)) throw new Problem("vault-key-other", { file });
}

function fingerprintOf(database: Database): Buffer | undefined {
	return database.get<{ fingerprint: Buffer }>("SELECT fingerprint FROM vault")?.fingerprint;
}

/** RFC 5869; each use of the master key has a key of its own. */
function derived(master: Buffer, use: string): Buffer {
	return Buffer.from(hkdfSync("sha256", master, "", `fediversity vault ${use}`, 32));
}

/** Loaded when the first secret is needed: it takes longer than the whole start of the node may. */
async function loaded() {
	const { default: sodium } = await import("libsodium-wrappers");
	await sodium.ready;
	return sodium;
}
