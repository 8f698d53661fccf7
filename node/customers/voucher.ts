import { createHash, randomInt } from "node:crypto";

/** What a provider gives away: one deployment with some of these services (empty: all the node can run). */
export interface Voucher {
	readonly id: string;
	/** Its first characters, to recognise it by. */
	readonly hint: string;
	readonly services: readonly string[];
	readonly diskMiB: number;
	readonly uses: number;
	readonly used: number;
	readonly note: string;
	readonly createdAt: number;
	readonly expiresAt: number;
}

/** Crockford's base32: no I, L, O or U, which people take for 1, 1, 0 and V. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 20 symbols are 100 bits: 80 stay unknown to who reads the hint in a stolen database. */
const symbols = 20;
const group = 4;

/** 100 random bits as people can read them out: `7KQX-9M2P-T4HZ-XW8D-3RVA`. */
export function newSymbols(): string {
	const drawn = Array.from({ length: symbols }, () => alphabet[randomInt(alphabet.length)]);
	return Array.from({ length: symbols / group }, (_, at) => drawn.slice(at * group, (at + 1) * group).join("")).join(
		"-",
	);
}

/** A new code such as `north-7KQX-9M2P-T4HZ-XW8D-3RVA`; what stands before the first dash only helps people. */
export function newCode(label: string): string {
	return label ? `${label}-${newSymbols()}` : newSymbols();
}

/** Its label and first group. */
export function hintOf(code: string): string {
	return `${code
		.split("-")
		.slice(0, -(symbols / group) + 1)
		.join("-")}-…`;
}

/** What is kept of a code. Case, dashes, blanks, and O, I, L for 0, 1, 1 make no difference; undefined if it is none. */
export function codeHash(typed: string): Buffer | undefined {
	const bare = typed
		.toUpperCase()
		.replaceAll(/[^0-9A-Z]/g, "")
		.slice(-symbols)
		.replaceAll("O", "0")
		.replaceAll(/[IL]/g, "1");
	if (bare.length < symbols || [...bare].some((symbol) => !alphabet.includes(symbol))) return undefined;
	return createHash("sha256").update(`voucher ${bare}`).digest();
}

/** The word before a code: the beginning of the provider's name in small letters, or nothing. */
export function labelOf(provider: string): string {
	return provider.toLowerCase().match(/[a-z]{2,12}/)?.[0] ?? "";
}
