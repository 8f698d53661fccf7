import type { Database } from "../store/database.ts";
import type { Customer } from "./customer.ts";
import type { Customers } from "./customers.ts";
import type { Entitlements } from "./entitlements.ts";
import type { Passwords } from "./passwords.ts";
import type { Vouchers } from "./vouchers.ts";

export interface SignUpParts {
	readonly db: Database;
	readonly customers: Customers;
	readonly passwords: Passwords;
	readonly vouchers: Vouchers;
	readonly entitlements: Entitlements;
}

export interface SignUpWish {
	readonly voucher: string;
	readonly email: string;
	readonly password: string;
	readonly name: string;
	readonly language: Customer["language"];
}

/**
 * Opens an account with a voucher: the voucher's use, the customer and the entitlement are written together or not at all.
 * The voucher is looked at first, so that only who has one can learn whether an e-mail is taken, or make us hash.
 */
export async function signUp(parts: SignUpParts, wish: SignUpWish): Promise<Customer> {
	parts.vouchers.check(wish.voucher);
	const password = await parts.passwords.hash(wish.password);
	return parts.db.transaction(() => {
		const customer = parts.customers.add({ ...wish, password });
		parts.entitlements.redeem(customer.id, wish.voucher);
		return customer;
	});
}
