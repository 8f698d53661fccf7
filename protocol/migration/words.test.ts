import { expect, test } from "vitest";
import { domain, north, sid, south } from "../../test/vectors/nodes.ts";
import { wordList } from "./word-list.ts";
import { sixWords } from "./words.ts";

const meant = { source: north.key, target: south.key, sid, domain };

test("the list has 1024 words that cannot be taken for each other", () => {
	expect(wordList).toHaveLength(1024);
	expect(wordList.every((word) => /^[a-z]{5,9}$/.test(word))).toBe(true);
	expect([...wordList].sort()).toEqual(wordList);
	expect(new Set(wordList.map((word) => word.slice(0, 4))).size).toBe(1024);
	// With one letter left out, no two are the same: so none is one slip away from another.
	const slips = wordList.flatMap((word) => [
		...new Set([...word].map((_, at) => `${word.slice(0, at)}_${word.slice(at + 1)}`)),
	]);
	expect(new Set(slips).size).toBe(slips.length);
});

test("the words are the same for both sides, and others if anything differs", async () => {
	const words = await sixWords(meant);
	expect(words).toHaveLength(6);
	expect(words.every((word) => wordList.includes(word))).toBe(true);
	expect(await sixWords({ ...meant })).toEqual(words);
	for (const change of [{ source: south.key, target: north.key }, { sid: "A".repeat(22) }, { domain: "other.example" }])
		expect(await sixWords({ ...meant, ...change })).not.toEqual(words);
});
