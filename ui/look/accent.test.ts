import * as fc from "fast-check";
import { expect, test } from "vitest";
import { contrast, readableOn } from "./accent.ts";

type Rgb = [number, number, number];
const white: Rgb = [1, 1, 1];
const night: Rgb = [0.106, 0.122, 0.145];
const channels = (colour: string) => (colour.match(/\d+/g) ?? []).map((part) => Number(part) / 255) as Rgb;

test("whatever colour a provider has, it can be read in light and in dark", () => {
	const hex = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, "0")}`);
	fc.assert(
		fc.property(hex, fc.constantFrom(white, night), (colour, ground) => {
			expect(contrast(channels(readableOn(colour, ground)), ground)).toBeGreaterThanOrEqual(4.5);
		}),
	);
});

test("a colour that can be read already is left as it is", () => {
	expect(readableOn("#0b6b75", white)).toBe("rgb(11 107 117)");
});

test("black on white is 21 : 1", () => {
	expect(contrast([0, 0, 0], white)).toBeCloseTo(21);
});
