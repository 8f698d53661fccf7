import type { languages } from "#protocol/api/account.ts";

/** Someone who has services here. */
export interface Customer {
	readonly id: string;
	readonly name: string;
	readonly email: string;
	readonly language: (typeof languages)[number];
	readonly createdAt: number;
	/** Whether this account may do what provider staff does. */
	readonly staff: boolean;
}

/** Two spellings of one mailbox are one customer: RFC 5321 lets the local part differ by case, but no provider does. */
export function emailKey(email: string): string {
	return email.normalize("NFC").toLowerCase();
}
