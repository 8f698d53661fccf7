/// <reference lib="esnext.typedarrays" />
/** How bytes are written in texts. Each has exactly one spelling: what does not decode, or would be written differently, is refused. */

const encoder = new TextEncoder();

export type Bytes = Uint8Array<ArrayBuffer>;

export function utf8(text: string): Bytes {
	return encoder.encode(text);
}

/** Base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
	return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Throws a SyntaxError for anything but the one spelling, padding and loose last bits included. */
export function fromBase64url(text: string): Bytes {
	if (/[^\w-]/.test(text)) throw new SyntaxError("not base64url");
	return Uint8Array.fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="), {
		alphabet: "base64url",
		lastChunkHandling: "strict",
	});
}

/** Base64 with padding, as HTTP's structured fields have it (RFC 9651 §3.3.5). */
export function toBase64(bytes: Uint8Array): string {
	return bytes.toBase64();
}

/** Throws a SyntaxError for anything but the one spelling. */
export function fromBase64(text: string): Bytes {
	if (/[^\w+/=]|_/.test(text)) throw new SyntaxError("not base64");
	return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
}

const letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Base58 as Bitcoin writes it, for keys and signatures: its time grows with the square of the length. */
export function toBase58(bytes: Uint8Array): string {
	let number = BigInt(`0x0${bytes.toHex()}`);
	let text = "";
	for (; number > 0n; number /= 58n) text = letters.charAt(Number(number % 58n)) + text;
	const zeros = bytes.findIndex((byte) => byte !== 0);
	return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}

/** Throws a SyntaxError for other letters, or more than 200 of them. */
export function fromBase58(text: string): Bytes {
	if (text.length > 200) throw new SyntaxError("too long for base58");
	let number = 0n;
	for (const letter of text) {
		const value = letters.indexOf(letter);
		if (value < 0) throw new SyntaxError("not base58");
		number = number * 58n + BigInt(value);
	}
	const hex = number === 0n ? "" : number.toString(16);
	const zeros = (/^1*/.exec(text)?.[0].length ?? 0) * 2;
	return Uint8Array.fromHex("0".repeat(zeros) + (hex.length % 2 ? "0" : "") + hex);
}

/** Takes the same time wherever they differ. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
	let difference = one.length ^ other.length;
	for (let at = 0; at < one.length; at++) difference |= (one[at] ?? 0) ^ (other[at] ?? 0);
	return difference === 0;
}
