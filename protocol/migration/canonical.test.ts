import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase58, fromBase64, fromBase64url, same, toBase58, toBase64url, utf8 } from "./bytes.ts";
import { canonical, digest, fromCanonical } from "./canonical.ts";

/** Appendix B of RFC 8785: IEEE 754 doubles and how they are written. */
const numbers: [hex: string, text: string][] = [
	["0000000000000000", "0"],
	["8000000000000000", "0"],
	["0000000000000001", "5e-324"],
	["8000000000000001", "-5e-324"],
	["7fefffffffffffff", "1.7976931348623157e+308"],
	["4340000000000000", "9007199254740992"],
	["c340000000000000", "-9007199254740992"],
	["4430000000000000", "295147905179352830000"],
	["44b52d02c7e14af5", "9.999999999999997e+22"],
	["44b52d02c7e14af6", "1e+23"],
	["44b52d02c7e14af7", "1.0000000000000001e+23"],
	["444b1ae4d6e2ef4e", "999999999999999700000"],
	["444b1ae4d6e2ef50", "1e+21"],
	["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
	["3eb0c6f7a0b5ed8d", "0.000001"],
	["41b3de4355555553", "333333333.3333332"],
	["41b3de4355555557", "333333333.33333343"],
	["becbf647612f3696", "-0.0000033333333333333333"],
	["43143ff3c1cb0959", "1424953923781206.2"],
];

test.each(numbers)("the number %s is written %s", (hex, text) => {
	const number = new DataView(Uint8Array.fromHex(hex).buffer).getFloat64(0);
	expect(canonical(number)).toBe(text);
});

test("names are sorted by their UTF-16 units, and letters escaped as seldom as can be (RFC 8785 §3.2.2 and §3.2.3)", () => {
	const names = {
		"€": "Euro Sign",
		"\r": "Carriage Return",
		"\ufb33": "Hebrew",
		"1": "One",
		"😀": "Emoji",
		"\u0080": "Control",
		ö: "o",
	};
	expect([...canonical(names).matchAll(/:"([^"]+)"/g)].map(([, text]) => text)).toEqual([
		...["Carriage Return", "One", "Control", "o", "Euro Sign", "Emoji", "Hebrew"],
	]);
	expect(canonical({ text: '€$\u000f\nA\'B"\\\\"/' })).toBe(String.raw`{"text":"€$\u000f\nA'B\"\\\\\"/"}`);
	expect(canonical({ b: [null, true, { d: undefined, c: 1 }], a: "" })).toBe('{"a":"","b":[null,true,{"c":1}]}');
});

test.each([
	[Number.NaN],
	[Number.POSITIVE_INFINITY],
	[undefined],
	[[undefined]],
	[1n],
	[new Date(0)],
	[new Map()],
	["\ud800"],
	[{ "\udc00": 1 }],
	[() => 1],
])("%s is no JSON", (value) => {
	expect(() => canonical(value)).toThrow(TypeError);
});

test("brackets of a peer do not reach the end of the stack", () => {
	expect(() => fromCanonical("[".repeat(100_000) + "]".repeat(100_000))).toThrow(TypeError);
});

test.each([
	'{"b":1,"a":1}',
	'{"a":1,"a":2}',
	'{"a": 1}',
	"1.0",
	"-0",
	"1e2",
	String.raw`"\u0041"`,
	String.raw`"\/"`,
	' {"a":1}',
	'{"a":1}\n',
	"",
])("%s is not taken for canonical", (text) => {
	expect(() => fromCanonical(text)).toThrow(SyntaxError);
});

test("what is written canonically reads as the same, and has one spelling", () => {
	fc.assert(
		fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }), (value) => {
			const text = canonical(value);
			expect(canonical(fromCanonical(text))).toBe(text);
			expect(fromCanonical(text)).toEqual(JSON.parse(JSON.stringify(value)));
		}),
		{ numRuns: 50 },
	);
});

test("a member called __proto__ is a member like others", () => {
	const text = '{"__proto__":{"polluted":true}}';
	expect(canonical(fromCanonical(text))).toBe(text);
});

test("a digest is of bytes as they are, and of anything else as its canonical JSON", () => {
	expect(digest({ b: 1, a: 2 })).toBe(digest(utf8('{"a":2,"b":1}')));
	expect(digest(utf8("abc"))).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
	expect(digest("abc")).toBe(digest(utf8('"abc"')));
});

test("bytes have one spelling in base64url, and come back", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
			expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
			expect(fromBase58(toBase58(bytes))).toEqual(bytes);
		}),
	);
	for (const text of ["AB", "A", "AA==", "AA\n", "A+", "A/", "A A"])
		expect(() => fromBase64url(text), text).toThrow(SyntaxError);
	for (const text of ["AB==", "AA", "A_==", "AA==\n"]) expect(() => fromBase64(text), text).toThrow(SyntaxError);
	for (const text of ["0", "O", "I", "l", "z z", "1".repeat(201)])
		expect(() => fromBase58(text), text).toThrow(SyntaxError);
});

test("only the same bytes are the same", () => {
	expect(same(utf8("abc"), utf8("abc"))).toBe(true);
	for (const other of ["abd", "ab", "abc\0", ""]) expect(same(utf8("abc"), utf8(other)), other).toBe(false);
});
