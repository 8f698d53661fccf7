/** What pieces are called; their bytes count from 0 to 250 again and again, as in BLAKE3's own vectors. */
import { blake3 } from "@noble/hashes/blake3.js";

export function pieceVectors() {
	const lengths = [1, 1023, 1024, 1025, 65_536, 262_143, 262_144];
	return {
		about: "Byte i of a piece is i modulo 251.",
		names: lengths.map((length) => ({ length, name: nameOf(Uint8Array.from({ length }, (_, at) => at % 251)) })),
		zeros: { length: 262_144, name: nameOf(new Uint8Array(262_144)) },
	};
}

const nameOf = (bytes: Uint8Array) => Buffer.from(blake3(bytes)).toString("base64url");
