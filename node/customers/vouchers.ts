import { randomUUID } from "node:crypto";
import type { Page } from "#protocol/api/page.ts";
import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import { type PageAsk, page } from "../store/page.ts";
import { codeHash, hintOf, labelOf, newCode, type Voucher } from "./voucher.ts";

export interface VoucherWish {
	readonly services: readonly string[];
	readonly days: number;
	readonly uses: number;
	readonly diskMiB: number;
	readonly note: string;
}

interface Row {
	id: string;
	hint: string;
	services: string;
	disk_mib: number;
	uses: number;
	used: number;
	note: string;
	created_at: number;
	expires_at: number;
	withdrawn_at: number | null;
}

/** All vouchers of this provider. Codes are kept as hashes: nobody can read one again. */
export class Vouchers {
	readonly #db: Database;
	readonly #provider: string;
	readonly #now: () => number;

	constructor(db: Database, provider: string, now: () => number) {
		this.#db = db;
		this.#provider = provider;
		this.#now = now;
	}

	/** Makes one; the code is told this once. */
	make(wish: VoucherWish): Voucher & { code: string } {
		const code = newCode(labelOf(this.#provider));
		const now = this.#now();
		const voucher = { ...wish, id: randomUUID(), hint: hintOf(code), used: 0, createdAt: now };
		const expiresAt = now + wish.days * 86_400_000;
		this.#db.run(
			`INSERT INTO voucher (id, code_hash, hint, services, disk_mib, uses, note, created_at, expires_at)
			 VALUES ($id, $hash, $hint, $services, $disk, $uses, $note, $now, $expiresAt)`,
			{
				id: voucher.id,
				hash: codeHash(code) ?? null,
				hint: voucher.hint,
				services: JSON.stringify(wish.services),
				disk: wish.diskMiB,
				uses: wish.uses,
				note: wish.note,
				now,
				expiresAt,
			},
		);
		return { ...voucher, expiresAt, code };
	}

	/** The voucher if it can be used now; else throws `voucher-unknown` (also when withdrawn), `-expired` or `-spent`. */
	check(code: string): Voucher {
		const row = this.#db.get<Row>("SELECT * FROM voucher WHERE code_hash = $hash", { hash: codeHash(code) ?? null });
		if (!row || row.withdrawn_at !== null) throw new Problem("voucher-unknown");
		if (row.used >= row.uses) throw new Problem("voucher-spent");
		if (row.expires_at <= this.#now())
			throw new Problem("voucher-expired", { date: new Date(row.expires_at).toISOString().slice(0, 10) });
		return voucherOf(row);
	}

	/** Uses it up once; call it inside the transaction that writes down what for. Throws as `check` does. */
	use(code: string): Voucher {
		return this.#db.transaction(() => {
			const voucher = this.check(code);
			this.#db.run("UPDATE voucher SET used = used + 1 WHERE id = $id", { id: voucher.id });
			return voucher;
		});
	}

	/** Ends it for those who have not used it yet. A second time changes nothing; throws `not-found`. */
	withdraw(id: string): void {
		const sql = "UPDATE voucher SET withdrawn_at = coalesce(withdrawn_at, $now) WHERE id = $id";
		if (this.#db.run(sql, { id, now: this.#now() }).changes === 0) throw new Problem("not-found");
	}

	/** Those not withdrawn, newest first. */
	page(ask: PageAsk): Page<Voucher> {
		const sql = `SELECT * FROM voucher WHERE withdrawn_at IS NULL AND (created_at, id) < ($at, $id)
			ORDER BY created_at DESC, id DESC LIMIT $most`;
		return page(ask, (bounds) => this.#db.all<Row>(sql, bounds), voucherOf);
	}
}

function voucherOf(row: Row): Voucher {
	return {
		id: row.id,
		hint: row.hint,
		services: JSON.parse(row.services),
		diskMiB: row.disk_mib,
		uses: row.uses,
		used: row.used,
		note: row.note,
		createdAt: row.created_at,
		expiresAt: row.expires_at,
	};
}
