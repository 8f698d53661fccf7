import { describe, expect, test } from "vitest";
import { parse, textOf } from "./answer.ts";

test("reads elements, text and what is escaped in it", () => {
	const xml = `<?xml version="1.0"?><!-- a < b --><r xmlns="x"><s:Key xsi:type="y">&lt;a&gt; &amp;amp; &quot;&#228;&#x1F600;</s:Key><b/><c></c></r>\n`;
	const root = parse(xml);
	expect(root.children.map(({ name }) => name)).toEqual(["Key", "b", "c"]);
	expect(textOf(root, "Key")).toBe('<a> &amp; "ä😀');
	expect([textOf(root, "b"), textOf(root, "d")]).toEqual(["", undefined]);
});

describe("refuses what is not whole", () => {
	test.each(["", "text", "<a>", "<a><b></a></b>", "</a>", "<a></a></a>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])(
		"%s",
		(xml) => {
			expect(() => parse(xml)).toThrow();
		},
	);
});
