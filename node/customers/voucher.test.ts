import { expect, test } from "vitest";
import { codeHash, hintOf, labelOf, newCode, newSymbols } from "./voucher.ts";

test("a code is made to be read out and typed", () => {
	expect(newCode("north")).toMatch(/^north-(?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
	expect(newCode("")).toMatch(/^[0-9A-Z]{4}-/);
	expect(new Set(Array.from({ length: 1000 }, newSymbols)).size).toBe(1000);
});

test("all symbols are used, evenly enough for 100 bits", () => {
	const counts = new Map<string, number>();
	for (const symbol of Array.from({ length: 2000 }, newSymbols).join("").replaceAll("-", ""))
		counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
	expect(counts.size).toBe(32);
	expect(Math.min(...counts.values())).toBeGreaterThan(1250 * 0.8);
});

const code = "north-7KQX-9M2P-T4HZ-XW8D-01VA";

test.each([
	["in small letters", code.toLowerCase()],
	["without dashes", code.replaceAll("-", "")],
	["with blanks", ` ${code.replaceAll("-", " ")} `],
	["with O for 0", code.replace("0", "O")],
	["with o for 0", code.replace("0", "o")],
	["with I for 1", code.replace("1", "I")],
	["with l for 1", code.replace("1", "l")],
	["with dashes of a word processor", code.replaceAll("-", "–")],
	["without its label", code.slice("north-".length)],
	["with its label misspelt", code.replace("north", "nroth")],
])("%s it is the same code", (_, typed) => {
	expect(codeHash(typed)).toEqual(codeHash(code));
});

test.each([
	["another symbol", code.replace("7", "8")],
	["two symbols swapped", code.replace("7K", "K7")],
	["one less", code.slice(0, -1).replace("north", "")],
	["U, which no code has", code.replace("V", "U")],
	["nothing", ""],
])("with %s it is not", (_, typed) => {
	expect(codeHash(typed)).not.toEqual(codeHash(code));
});

test("the hint shows label and first group", () => {
	expect(hintOf(code)).toBe("north-7KQX-…");
	expect(hintOf("7KQX-9M2P-T4HZ-XW8D-01VA")).toBe("7KQX-…");
});

test("the label is the first word of the provider's name, if it has letters to type", () => {
	expect(["North", "Die Wolke e.V.", "42 Servers", "星", ""].map(labelOf)).toEqual(["north", "die", "servers", "", ""]);
});
