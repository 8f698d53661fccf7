import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashOf, PieceHash, zeroPiece } from "./piece.ts";

const file = join(import.meta.dirname, "../../specs/vectors/migration/pieces.json");
const vectors = JSON.parse(readFileSync(file, "utf8")) as {
	names: { length: number; name: string }[];
	zeros: { name: string };
};
const pieceOf = (length: number) => Uint8Array.from({ length }, (_, at) => at % 251);

test.each(vectors.names)("a piece of $length bytes is called as the vectors say", ({ length, name }) => {
	const piece = pieceOf(length);
	expect(hashOf(piece)).toBe(name);
	// As a part of something larger, and bit by bit.
	expect(hashOf(Buffer.concat([Buffer.alloc(7), piece, Buffer.alloc(7)]).subarray(7, 7 + length))).toBe(name);
	const hash = new PieceHash();
	for (let at = 0; at < length; at += 1000) hash.update(piece.subarray(at, at + 1000));
	expect(hash.digest().toString("base64url")).toBe(name);
});

test("so is a piece of nothing but zeros", () => {
	expect(zeroPiece).toBe(vectors.zeros.name);
});

test("the first of BLAKE3's own vectors holds", () => {
	const official = "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213";
	expect(Buffer.from(hashOf(pieceOf(1)), "base64url").toString("hex")).toBe(official);
});
