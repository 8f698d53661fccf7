import { hash } from "node:crypto";
import { pieceSize } from "./volume.ts";

/** Length of a piece's name: SHA-256 in base64url. */
export const hashLength = 43;

const zeros = Buffer.alloc(pieceSize);
/** What a whole piece of nothing but zeros is called. It is never sent, and holes are made of it. */
export const zeroPiece = hash("sha256", zeros, "base64url");

export function isZero(bytes: Uint8Array): boolean {
	return bytes[0] === 0 && zeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}

/** The name of a piece: its SHA-256, base64url. */
export function hashOf(bytes: Uint8Array): string {
	return bytes.length === pieceSize && isZero(bytes) ? zeroPiece : hash("sha256", bytes, "base64url");
}

/** How many pieces content of this size has. */
export const piecesIn = (size: number) => Math.ceil(size / pieceSize);

/** How long the piece with this index is. */
export const lengthAt = (size: number, index: number) => Math.min(pieceSize, size - index * pieceSize);
