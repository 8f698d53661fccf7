import { expect, test } from "vitest";
import { answered, errandAddress, errandOf, tokenIn } from "./errand.ts";

const page = "https://north.example:8443/d/choir.example/move";
const sent = (back: string, domain = "choir.example") => errandOf(`?${new URLSearchParams({ domain, back })}`);

test("somebody is sent to another provider, and comes back with the token", () => {
	const there = new URL(errandAddress("https://south.example", "choir.example", page));
	expect(there.origin + there.pathname).toBe("https://south.example/move-in");
	const errand = errandOf(there.search);
	expect(errand).toMatchObject({ domain: "choir.example" });
	const token = "https://south.example/migrate/abc#v1.s_-e.t+h/u.c";
	const back = new URL(answered(errand?.back as URL, token));
	expect(back.href.split("#")[0]).toBe(page);
	expect(tokenIn(back.hash)).toBe(token);
});

test("nobody is sent without a domain, and nobody comes back with a token who has none", () => {
	expect(errandOf("")).toBe(null);
	expect(errandOf(`?back=${encodeURIComponent(page)}`)).toBe(null);
	expect(tokenIn("")).toBe(null);
	expect(tokenIn("#services")).toBe(null);
});

test("nobody is sent to a provider without an address", () => {
	for (const origin of ["", "south.example", "javascript:alert(1)"])
		expect(errandAddress(origin, "choir.example", page), origin).toBe("");
});

test("a domain in other letters has its page too", () => {
	expect(sent("https://north.example/d/xn--mnchen-3ya.example/move", "xn--mnchen-3ya.example")?.back).not.toBe(null);
});

test.each([
	"javascript:alert(1)//d/choir.example/move",
	"data:text/html,/d/choir.example/move",
	"//evil.example/d/choir.example/move",
	"/d/choir.example/move",
	"https://evil.example/",
	"https://evil.example/d/choir.example/move/",
	"https://evil.example/d/choir.example/move?to=x",
	"https://evil.example/d/choir.example/move#x",
	"https://north.example@evil.example/d/choir.example/move",
	"https://north.example/d/other.example/move",
	"https://north.example/x/d/choir.example/move",
	"ftp://north.example/d/choir.example/move",
	"",
])("a token is not handed to %s", (back) => {
	expect(sent(back)).toEqual({ domain: "choir.example", back: null });
});
