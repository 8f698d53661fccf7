/** Six words that both panels show, so that people see that both nodes mean the same migration and each other. */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { utf8 } from "./bytes.ts";
import { canonical } from "./canonical.ts";
import { wordList } from "./word-list.ts";

export interface Meant {
	/** Multikeys (`z6Mk…`) of both nodes. */
	readonly source: string;
	readonly target: string;
	readonly sid: string;
	readonly domain: string;
}

/**
 * The same for both nodes, and different if anything differs. Six of 1024 words are 60 bits, and each guess costs an
 * scrypt of 16 MiB: somebody between the nodes, who would need two sessions with the same words (about 2³⁰ guesses),
 * has an hour before the token is void. It takes some 150 ms, in short strides between which others can work.
 */
export async function sixWords({ source, target, sid, domain }: Meant): Promise<string[]> {
	const text = utf8(canonical({ domain, sid, source, target }));
	const bytes = await scryptAsync(text, utf8("fediversity six words 1"), { N: 2 ** 14, r: 8, p: 1, dkLen: 8 });
	const number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) >> 4n;
	return [5, 4, 3, 2, 1, 0].map((place) => wordList[Number((number >> BigInt(place * 10)) & 1023n)] ?? "");
}
