import { describe, expect, test } from "vitest";
import { Problem, type ProblemCode } from "#protocol/problem.ts";
import { checkedDomain, zoneOf } from "./domain.ts";

const here = { zones: ["localhost", "customers.north.org"], panelHost: "panel.north.org" };
const check = (text: string) => checkedDomain(text, here);

test.each([
	["choir.example", "choir.example", "choir.example"],
	["  Choir.Example\n", "choir.example", "choir.example"],
	["choir.example.", "choir.example", "choir.example"],
	["a.very.deep.choir.example", "a.very.deep.choir.example", "a.very.deep.choir.example"],
	["CHÖRE.example", "xn--chre-6qa.example", "chöre.example"],
	["xn--chre-6qa.example", "xn--chre-6qa.example", "chöre.example"],
	["straße.de", "xn--strae-oqa.de", "straße.de"],
	["合唱。example", "xn--8prw0a.example", "合唱.example"],
	["3d.co.uk", "3d.co.uk", "3d.co.uk"],
	["choir.github.io", "choir.github.io", "choir.github.io"],
	["choir.localhost", "choir.localhost", "choir.localhost"],
	["choir.customers.north.org", "choir.customers.north.org", "choir.customers.north.org"],
	["other.north.org", "other.north.org", "other.north.org"],
	["ab--c.example", "ab--c.example", "ab--c.example"],
])("%j is a domain", (text, domain, unicode) => {
	expect(check(text)).toEqual({ domain, unicode });
});

const label63 = "l".repeat(63);
const refused: { readonly [code in ProblemCode]?: readonly string[] } = {
	"domain-not-valid": [
		"",
		"   ",
		".",
		"choir",
		"choir example.org",
		"choir.\texample",
		"choir..example",
		".choir.example",
		"-choir.example",
		"choir-.example",
		"ch_oir.example",
		"_fediversity.choir.example",
		"choir!.example",
		"(choir).example",
		"1.2.3.4.5",
		"choir.0x1",
		"xn--.example",
		"xn--a.example",
		"https://",
		"@",
		"a@b",
		"https://choir",
		"http://[choir]/",
		"\u0000choir.example",
		"choir.exam\u202eple",
	],
	"domain-is-address": [
		"127.0.0.1",
		"192.0.2.1.",
		"0x7f.1",
		"2130706433",
		"0177.0.0.1",
		"127.1",
		"１２７.0.0.1",
		"::1",
		"[::1]",
		"[2001:db8::1]:443",
		"fe80::1%eth0",
		"::ffff:192.0.2.1",
		"192.0.2.1:8080",
		"https://192.0.2.1/panel",
		"https://[2001:db8::1]/",
		"anna@192.0.2.1",
	],
	"domain-has-more": [
		"https://choir.example",
		"http://choir.example/about?x=1#y",
		"https://www.choir.example/",
		"choir.example/",
		"choir.example:8080",
		"//choir.example",
		"anna@choir.example",
		"@anna@choir.example",
		"mailto:anna@choir.example",
		"acct:anna@choir.example",
		"*.choir.example",
		"https://*.choir.example",
		"choir.example?",
		"choir%2eexample",
	],
	"domain-too-long": [
		"ü".repeat(500),
		`${`${label63}.`.repeat(3)}${"l".repeat(49)}`,
		`${"a.".repeat(123)}example`,
		`${"ü".repeat(50)}.`.repeat(5),
	],
	"domain-part-too-long": [`${label63}l.example`, `${"ü".repeat(60)}.example`],
	"domain-is-suffix": ["com", "co.uk", "org.", "github.io", "xn--p1ai", "рф", "kawasaki.jp", "x.ck"],
	"domain-is-reserved": [
		"localhost",
		"choir.local",
		"local",
		"choir.invalid",
		"choir.test",
		"choir.onion",
		"choir.internal",
		"choir.home.arpa",
		"1.0.0.127.in-addr.arpa",
		"panel.north.org",
		"PANEL.north.org.",
		"choir.panel.north.org",
		"customers.north.org",
		"north.org",
	],
	"domain-too-deep": ["social.choir.localhost", "a.b.customers.north.org"],
};

describe.each(Object.entries(refused))("%s", (code, texts) => {
	test.each(texts)("%j", (text) => {
		expect(() => check(text)).toThrow(expect.objectContaining({ code }));
	});
});

test("254 characters are too many, and so are as many as leave no room for our own record's name", () => {
	const of = (length: number) => `${`${label63}.`.repeat(3)}${"l".repeat(length - 3 * 64)}`;
	expect(check(of(240)).domain).toHaveLength(240);
	for (const length of [241, 253, 254])
		expect(() => check(of(length))).toThrow("A domain name has at most 240 characters");
});

test("the refusal of a link says what to write instead, without www", () => {
	expect(messageOf("https://www.choir.example/about")).toMatch(/such as choir\.example$/);
	expect(messageOf("*.choir.example")).toMatch(/such as choir\.example$/);
	expect(messageOf("@anna@chöre.example")).toMatch(/such as chöre\.example$/);
});

test("a refusal does not repeat a whole page of pasted text", () => {
	expect(messageOf("x y ".repeat(250)).length).toBeLessThan(160);
});

test("a domain that is not under our own zone's dot is not in the zone", () => {
	expect(zoneOf("choir.localhost", ["localhost"])).toBe("localhost");
	expect(zoneOf("notlocalhost", ["localhost"])).toBeUndefined();
	expect(zoneOf("localhost", ["localhost"])).toBeUndefined();
	expect(zoneOf("a.b.example", ["example", "b.example"])).toBe("b.example");
});

function messageOf(text: string): string {
	try {
		check(text);
	} catch (error) {
		if (error instanceof Problem) return error.message;
	}
	throw new Error(`${text} was not refused`);
}
