import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
	decodeRequest,
	encodeRequest,
	mostRequestBytes,
	mostWants,
	piecesOf,
	type Want,
	withoutFirst,
} from "./wants.ts";

const listing = randomBytes(32).toString("base64url");

const ascending = fc
	.array(fc.record({ lines: fc.nat(70_000), gap: fc.nat(300), count: fc.integer({ min: 1, max: 100_000 }) }), {
		maxLength: 40,
	})
	.map((steps) => {
		const wants: Want[] = [];
		let [line, free] = [0, 0];
		for (const { lines, gap, count } of steps) {
			if (lines > 0) free = 0;
			line += lines;
			wants.push({ line, first: free + gap, count });
			free += gap + count;
		}
		return wants;
	});

test("a request says what was asked for", () => {
	fc.assert(
		fc.property(ascending, (wants) => {
			expect(decodeRequest(encodeRequest(listing, wants))).toEqual({ listing, wants });
		}),
	);
});

test("no two requests are the same", () => {
	expect(encodeRequest(listing, [])).not.toEqual(encodeRequest(listing, []));
});

test("as many wants as may be fit into a request", () => {
	const wants = Array.from({ length: mostWants }, (_, at) => ({
		line: at * 65_535,
		first: 4_000_000_000,
		count: 200_000_000,
	}));
	expect(encodeRequest(listing, wants).length).toBeLessThanOrEqual(mostRequestBytes);
	expect(decodeRequest(encodeRequest(listing, wants)).wants).toHaveLength(mostWants);
	const common = Array.from({ length: 50_000 }, (_, line) => ({ line, first: 0, count: 1 }));
	expect(encodeRequest(listing, common).length).toBeLessThan(160_000);
});

test("what no target would send is refused", () => {
	const head = encodeRequest(listing, []);
	const asked = (...bytes: number[]) => Buffer.concat([head, Buffer.from(bytes)]);
	for (const wrong of [
		head.subarray(0, 47),
		asked(1),
		asked(1, 0),
		asked(1, 0, 0), // nothing of it
		asked(1, 0, 2, 0, 1, 1), // the same piece twice
		asked(1, 0, 128), // half a number
		asked(255, 255, 255, 255, 127, 0, 1),
		asked(255, 255, 255, 255, 15, 0, 1, 1, 0, 1), // beyond the last line
	])
		expect(() => decodeRequest(wrong)).toThrow(expect.objectContaining({ code: "not-valid" }));
	expect(() => decodeRequest(Buffer.alloc(mostRequestBytes + 1))).toThrow(
		expect.objectContaining({ code: "too-large" }),
	);
	const many = Buffer.concat([head, ...Array.from({ length: mostWants + 1 }, () => Buffer.from([1, 0, 1]))]);
	expect(() => decodeRequest(many)).toThrow(expect.objectContaining({ code: "not-valid" }));
});

const pieces = (wants: readonly Want[]) =>
	wants.flatMap(({ line, first, count }) => Array.from({ length: count }, (_, at) => `${line}#${first + at}`));

test("what is left of wants is the rest of their pieces", () => {
	const few = ascending.map((wants) => wants.map((want) => ({ ...want, count: (want.count % 5) + 1 })));
	fc.assert(
		fc.property(few, fc.nat(60), (wants, done) => {
			expect(pieces(withoutFirst(wants, done))).toEqual(pieces(wants).slice(done));
			expect(piecesOf(wants)).toBe(pieces(wants).length);
		}),
	);
});
