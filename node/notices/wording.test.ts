import { describe, expect, test } from "vitest";
import { languages } from "#protocol/api/account.ts";
import { type NoticeKind, noticeSentences } from "./notice.ts";
import { mailingOf, sentenceOf, type Told } from "./wording.ts";

const kinds = Object.keys(noticeSentences) as NoticeKind[];
const told = (change: Partial<Told> = {}): Told => ({
	...{ kind: "deploy-done", params: { domain: "choir.example" }, language: "en", provider: "North" },
	...{ link: "https://north.example/d/choir.example", settings: "https://north.example/account", ...change },
});
const holes = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(String).toSorted();

describe.each(languages)("in %s", (language) => {
	test.each(kinds)("%s says the same things as in English", (kind) => {
		const sentence = sentenceOf({ kind, params: {}, language });
		expect(holes(sentence)).toEqual(holes(noticeSentences[kind]));
		expect(language === "en" || sentence !== noticeSentences[kind]).toBe(true);
		expect(sentence).not.toMatch(/!|Oops|[.]$/);
	});

	test("a mail names the provider and leads to the panel", () => {
		const { text, html } = mailingOf(told({ language }));
		for (const part of [text, html]) {
			expect(part).toContain("North");
			expect(part).toContain("https://north.example/d/choir.example");
			expect(part).toContain("https://north.example/account");
		}
		expect(html).toContain(`<html lang="${language}">`);
	});
});

test("the subject says it all, and the text with a full stop", () => {
	const { subject, text } = mailingOf(told());
	expect(subject).toBe("Your services under choir.example are ready");
	expect(text.split("\n")[0]).toBe("Your services under choir.example are ready.");
});

test("a sentence that has its stop keeps it, and a long subject is cut", () => {
	const params = { domain: "choir.example", reason: `${"very long ".repeat(40)}end.` };
	const { subject, text } = mailingOf(told({ kind: "deploy-stuck", params }));
	expect(subject.length).toBe(150);
	expect(subject.endsWith("…")).toBe(true);
	expect(text).toContain("end.\n");
});

test.each([
	["en", "2026-12-22", "22 December 2026"],
	["de", "2026-12-22", "22. Dezember 2026"],
	["en", "2026-12-22T23:14:02.123Z", "22 December 2026, 23:14 UTC"],
	["de", "2026-12-22T23:14:02Z", "22. Dezember 2026, 23:14 UTC"],
	["en", "2026-99-22", "2026-99-22"],
	["en", "2026-12-22.example", "2026-12-22.example"],
] as const)("in %s, %s is written %s", (language, since, written) => {
	const sentence = sentenceOf({ kind: "service-unwell", params: { service: "Snac", domain: "d", since }, language });
	expect(sentence.endsWith(` ${written}`)).toBe(true);
});

test("nothing that is told can break out of its place", () => {
	const evil = `a"><script>alert('1')</script>&amp;\r\nBcc: all@example.org\r\n\r\n-- \n\u2028x`;
	const { subject, text, html } = mailingOf(told({ params: { domain: evil }, provider: evil }));
	expect(subject).not.toMatch(/[\r\n\u2028]/);
	expect(text.match(/^-- $/gm)?.length).toBe(1);
	expect(html).not.toContain("<script");
	expect(html).not.toContain(`a">`);
	expect(html).toContain("&#38;amp;");
});
