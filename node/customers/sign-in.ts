import { Problem } from "#protocol/problem.ts";
import type { Database } from "../store/database.ts";
import type { Customer } from "./customer.ts";
import type { Customers } from "./customers.ts";
import type { Passwords } from "./passwords.ts";
import type { Sessions } from "./sessions.ts";
import { newSymbols } from "./voucher.ts";

export interface SignInParts {
	readonly db: Database;
	readonly customers: Customers;
	readonly passwords: Passwords;
	readonly sessions: Sessions;
}

/** Says who somebody is by e-mail and password, and lets them change the password. */
export class SignIn {
	readonly #parts: SignInParts;

	constructor(parts: SignInParts) {
		this.#parts = parts;
	}

	/**
	 * Throws `wrong-credentials`, after the same work, whether the e-mail or the password is wrong.
	 * A password kept at another cost is hashed anew while it is at hand.
	 */
	async check(email: string, password: string): Promise<Customer> {
		const { customers, passwords } = this.#parts;
		const found = customers.withEmail(email);
		if (!(await passwords.matches(password, found?.password)) || !found) throw new Problem("wrong-credentials");
		if (passwords.isDated(found.password))
			customers.setPassword(found.customer.id, await passwords.hash(password), found.password);
		return found.customer;
	}

	/**
	 * Ends every session but `keep`. Throws `wrong-credentials` when `current` is not the password;
	 * of two changes at once one wins and the other is told the same.
	 */
	async change(customer: string, current: string, next: string, keep: string | null): Promise<void> {
		const { db, customers, passwords, sessions } = this.#parts;
		const kept = customers.passwordOf(customer);
		if (!(await passwords.matches(current, kept))) throw new Problem("wrong-credentials");
		const made = await passwords.hash(next);
		db.transaction(() => {
			if (!customers.setPassword(customer, made, kept)) throw new Problem("wrong-credentials");
			sessions.endAll(customer, keep);
		});
	}

	/** For staff: a new password in place of a forgotten one, told this once. Ends every session; throws `not-found`. */
	async reset(customer: string): Promise<string> {
		const { db, customers, passwords, sessions } = this.#parts;
		customers.get(customer);
		const password = newSymbols();
		const made = await passwords.hash(password);
		db.transaction(() => {
			customers.setPassword(customer, made);
			sessions.endAll(customer);
		});
		return password;
	}
}
