/** What stands in a secret's place. */
export const hidden = "[hidden]";

/** Names whose values are never logged, wherever they stand. */
const secretName =
	/pass(?:word|phrase)|secret|token|cookie|authorization|credential|voucher(?:code)?$|^code$|private.?key|^key$/i;

/** What secrets look like in running text, also within JSON within a text. The first group stays. */
const secretText: readonly RegExp[] = [
	/(fdv_|whsec_)[\w+/=-]{8,}/g,
	/(\b(?:bearer|basic) +)(?!bearer|basic)[\w.~+/=-]{8,}/gi,
	/((?:__Host-)?\bsession=)[\w-]{20,}/g,
	/(\$argon2id?\$)[\w$+/=,.-]+/g,
	/(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?=-----END|$)/g,
	/(\b[a-z][a-z+.-]*:\/\/[^\s:/?#@"]*:)[^\s/?#@"]+(?=@)/gi,
	// Voucher codes: the first group is their hint.
	/(\b[0-9a-z]{4}-)[0-9a-z]{4}(?:-[0-9a-z]{4}){3}\b/gi,
	/((?:password|passphrase|secret|token|voucher|authorization|cookie)\\*["']?\s*[:=]\s*\\*["']?)[^\s"'\\,;&}]+/gi,
];

/** The text with everything in it that looks like a secret hidden. */
export function redactedText(text: string): string {
	return secretText.reduce((left, secret) => left.replaceAll(secret, `$1${hidden}`), text);
}

/** A copy of a value with what bears a secret's name hidden. Errors stay errors; their text is hidden later. */
export function redactedValue(value: unknown, depth = 0): unknown {
	if (typeof value !== "object" || value === null || value instanceof Error || value instanceof Date) return value;
	if (depth > 6) return hidden;
	if (Array.isArray(value)) return value.map((item) => redactedValue(item, depth + 1));
	return redactedFields(value as Record<string, unknown>, depth);
}

export function redactedFields(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(fields).map(([name, inner]) => [
			name,
			secretName.test(name) && inner !== null && inner !== undefined ? hidden : redactedValue(inner, depth + 1),
		]),
	);
}
