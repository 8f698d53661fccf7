import { msg, str } from "@lit/localize";

/** As the node has it (protocol/api/account.ts); a test keeps the two the same. */
export const passwordLength = { least: 12, most: 256 };

/** What is wrong with a text that was typed, or null. The node checks everything again. */
type Check = (value: string) => string | null;

export const given: Check = (value) => (value.trim() ? null : msg("Please fill this in"));

export const email: Check = (value) =>
	/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value.trim()) ? null : msg("Write it like anna@choir.example");

export const newPassword: Check = (value) => {
	const { least, most } = passwordLength;
	if (value.length < least) return msg(str`At least ${least} characters; this has ${value.length}`);
	return value.length > most ? msg(str`At most ${most} characters`) : null;
};

export const username: Check = (value) =>
	/^[a-z0-9_]{1,30}$/.test(value) ? null : msg("Use 1 to 30 small letters, digits and _");

export const anything: Check = () => null;
