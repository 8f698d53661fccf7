import { Blake3Hasher, blake3UrlSafeBase64 } from "@napi-rs/blake-hash";
import { pieceSize } from "./volume.ts";

/** Length of a piece's name: BLAKE3 (256 bits) in base64url. */
export const hashLength = 43;

const zeros = Buffer.alloc(pieceSize);

/** The name of a piece: its BLAKE3, base64url. */
export const hashOf = (bytes: Uint8Array): string => blake3UrlSafeBase64(asBuffer(bytes)).slice(0, hashLength);

/** The same memory; the package takes nothing else. */
const asBuffer = (bytes: Uint8Array): Buffer =>
	Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** What a whole piece of nothing but zeros is called. It is never sent, and holes are made of it. */
export const zeroPiece = hashOf(zeros);

export function isZero(bytes: Uint8Array): boolean {
	return bytes[0] === 0 && zeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}

/** The name of a piece that comes bit by bit, as 32 bytes. */
export class PieceHash {
	readonly #hasher = new Blake3Hasher();

	update(bytes: Uint8Array): void {
		this.#hasher.update(asBuffer(bytes));
	}

	digest(): Buffer {
		return this.#hasher.digestBuffer();
	}
}

/** How many pieces content of this size has. */
export const piecesIn = (size: number) => Math.ceil(size / pieceSize);

/** How long the piece with this index is. */
export const lengthAt = (size: number, index: number) => Math.min(pieceSize, size - index * pieceSize);
