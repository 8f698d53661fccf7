// @vitest-environment happy-dom
import { afterEach, describe, expect, test } from "vitest";
import { setLanguage } from "./language.ts";
import { bytes, duration, mebibytes, roughly } from "./numbers.ts";
import { readable } from "./params.ts";

const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ");

afterEach(() => setLanguage("en"));

describe("in English", () => {
	test.each([
		[0, "0 B"],
		[999, "999 B"],
		[84_200_000, "84.2 MB"],
		[18_240_000_000, "18.2 GB"],
	])("%d bytes are %s", (count, text) => expect(plain(bytes(count))).toBe(text));

	test.each([
		[0, "< 0.1 s"],
		[0.42, "0.4 s"],
		[9.6, "9.6 s"],
		[59.6, "60 s"],
		[190, "3 min 10 s"],
		[3599.7, "60 min"],
		[7500, "2 h 5 min"],
		[3 * 86_400, "3 days"],
	])("%d seconds are %s", (seconds, text) => expect(plain(duration(seconds))).toBe(text));

	test.each([
		[3, "a few seconds"],
		[41, "about 50 seconds"],
		[70, "about 1 minute"],
		[7000, "about 2 hours"],
	])("%d seconds are roughly %s", (seconds, text) => expect(roughly(seconds)).toBe(text));

	test("room is counted as vouchers count it", () => expect(plain(mebibytes(10_240))).toBe("10 GiB"));
});

test("in German a comma divides", async () => {
	await setLanguage("de");
	expect(plain(duration(0.42))).toBe("0,4 s");
	expect(roughly(70)).toBe("etwa 1 Minute");
});

test("a day in a sentence is spelled out, and anything else is left", () => {
	expect(readable({ date: "2026-12-22", reason: "no answer", at: "12:30" })).toMatchObject({
		date: expect.stringContaining("December"),
		reason: "no answer",
		at: "12:30",
	});
});
