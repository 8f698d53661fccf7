/** Opening libsodium's sealed boxes (X25519, BLAKE2b, XSalsa20, Poly1305) and the sealed stream of section 8. */
import { createDecipheriv, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { quarters } from "./blake3.ts";
import { refuse, sha256 } from "./bytes.ts";

export interface Pair {
	readonly publicKey: Buffer;
	readonly privateKey: Buffer;
}

export function openSealed({ publicKey, privateKey }: Pair, sealed: Buffer): Buffer {
	const ephemeral = sealed.subarray(0, 32);
	const nonce = blake2b24(Buffer.concat([ephemeral, publicKey]));
	const [x, mine] = [ephemeral, publicKey].map((key) => key.toString("base64url"));
	const d = privateKey.toString("base64url");
	const shared = diffieHellman({
		privateKey: createPrivateKey({ key: { kty: "OKP", crv: "X25519", d, x: mine ?? "" }, format: "jwk" }),
		publicKey: createPublicKey({ key: { kty: "OKP", crv: "X25519", x: x ?? "" }, format: "jwk" }),
	});
	const key = hsalsa20(hsalsa20(shared, Buffer.alloc(16)), nonce.subarray(0, 16));
	const [tag, box] = [sealed.subarray(32, 48), sealed.subarray(48)];
	const stream = salsa20(key, nonce.subarray(16), 32 + box.length);
	if (!poly1305(stream.subarray(0, 32), box).equals(tag)) refuse("not sealed to this key");
	return Buffer.from(box.map((byte, at) => byte ^ (stream[32 + at] ?? 0)));
}

/** The pieces in a sealed stream, by their number. */
export function openStream(
	pair: Pair,
	sid: string,
	request: Buffer,
	header: string,
	stream: Buffer,
): Map<number, Buffer> {
	const length = stream.readUInt16BE();
	const sealed = stream.subarray(2, 2 + length);
	if (header !== `sealed;key=:${sha256(sealed).toString("base64")}:`)
		refuse("another key than the one that was signed");
	const key = openSealed(pair, sealed);
	const context = sha256(`fediversity pieces 1\n${sid}\n${sha256(request).toString("base64url")}`);
	const plain: Buffer[] = [];
	let rest = stream.subarray(2 + length);
	for (let number = 0; ; number++) {
		const head = rest.readUInt32BE();
		const [isLast, size] = [head >= 0x8000_0000, head % 0x8000_0000];
		const nonce = Buffer.alloc(12);
		nonce.writeUIntBE(number, 5, 6);
		nonce[11] = isLast ? 1 : 0;
		const opener = createDecipheriv("aes-256-gcm", key, nonce).setAAD(context);
		opener.setAuthTag(rest.subarray(4 + size, 20 + size));
		plain.push(opener.update(rest.subarray(4, 4 + size)), opener.final());
		rest = rest.subarray(20 + size);
		if (isLast) break;
	}
	if (rest.length > 0) refuse("bytes after the last frame");
	return piecesIn(Buffer.concat(plain));
}

function piecesIn(records: Buffer): Map<number, Buffer> {
	const pieces = new Map<number, Buffer>();
	for (let at = 0; at < records.length; ) {
		const length = records.readUInt32BE(at + 4);
		pieces.set(records.readUInt32BE(at), records.subarray(at + 8, at + 8 + length));
		at += 8 + length;
	}
	return pieces;
}

const mask = (1n << 64n) - 1n;
const blakeIv = [
	...[0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n],
	...[0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n],
];
const sigma = [
	"0123456789abcdef",
	"ea489fd61c02b753",
	"b8c052fdae367194",
	"7931dcbe265a40f8",
	"905724afe1bc683d",
	"2c6a0b834d75fe19",
	"c51fed4a0763928b",
	"db7ec13950f4862a",
	"6fe9b308c2d714a5",
	"a2847615fb9e3cd0",
];

/** BLAKE2b (RFC 7693) of at most 128 bytes, 24 bytes of it. */
function blake2b24(bytes: Buffer): Buffer {
	const block = Buffer.concat([bytes, Buffer.alloc(128 - bytes.length)]);
	const words = Array.from({ length: 16 }, (_, at) => block.readBigUInt64LE(at * 8));
	const first = (blakeIv[0] ?? 0n) ^ 0x0101_0018n;
	const start = [first, ...blakeIv.slice(1)];
	const state = [...start, ...blakeIv];
	state[12] = (state[12] ?? 0n) ^ BigInt(bytes.length);
	state[14] = (state[14] ?? 0n) ^ mask;
	const turned = (word: bigint, bits: bigint) => ((word >> bits) | (word << (64n - bits))) & mask;
	for (let round = 0; round < 12; round++) {
		const places = [...(sigma[round % 10] ?? "")].map((digit) => words[Number.parseInt(digit, 16)] ?? 0n);
		for (const [at, [a, b, c, d]] of quarters.entries())
			for (const [word, one, two] of [
				[places[at * 2] ?? 0n, 32n, 24n],
				[places[at * 2 + 1] ?? 0n, 16n, 63n],
			] as const) {
				state[a] = ((state[a] ?? 0n) + (state[b] ?? 0n) + word) & mask;
				state[d] = turned((state[d] ?? 0n) ^ (state[a] ?? 0n), one);
				state[c] = ((state[c] ?? 0n) + (state[d] ?? 0n)) & mask;
				state[b] = turned((state[b] ?? 0n) ^ (state[c] ?? 0n), two);
			}
	}
	const result = Buffer.alloc(64);
	for (const [at, word] of start.entries())
		result.writeBigUInt64LE(word ^ (state[at] ?? 0n) ^ (state[at + 8] ?? 0n), at * 8);
	return result.subarray(0, 24);
}

const constants = Buffer.from("expand 32-byte k");

/** The four columns and then the four rows, each from its place in the diagonal on. */
const salsaQuarters = [
	...[
		[0, 4, 8, 12],
		[5, 9, 13, 1],
		[10, 14, 2, 6],
		[15, 3, 7, 11],
	],
	...[
		[0, 1, 2, 3],
		[5, 6, 7, 4],
		[10, 11, 8, 9],
		[15, 12, 13, 14],
	],
] as [number, number, number, number][];

function salsaRounds(start: Uint32Array): Uint32Array {
	const x = Uint32Array.from(start);
	const turn = (to: number, one: number, two: number, bits: number) => {
		const sum = ((x[one] ?? 0) + (x[two] ?? 0)) >>> 0;
		x[to] = (x[to] ?? 0) ^ ((sum << bits) | (sum >>> (32 - bits)));
	};
	const quarter = (a: number, b: number, c: number, d: number) => {
		turn(b, a, d, 7);
		turn(c, b, a, 9);
		turn(d, c, b, 13);
		turn(a, d, c, 18);
	};
	for (let round = 0; round < 20; round += 2) {
		for (const [a, b, c, d] of salsaQuarters) quarter(a, b, c, d);
	}
	return x;
}

const wordsIn = (bytes: Buffer) => Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readUInt32LE(at * 4));

function salsaState(key: Buffer, input: Buffer): Uint32Array {
	const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = wordsIn(constants);
	const k = wordsIn(key);
	return Uint32Array.of(c0, ...k.slice(0, 4), c1, ...wordsIn(input), c2, ...k.slice(4), c3);
}

function hsalsa20(key: Buffer, input: Buffer): Buffer {
	const words = salsaRounds(salsaState(key, input));
	return bytesOf([0, 5, 10, 15, 6, 7, 8, 9].map((at) => words[at] ?? 0));
}

function bytesOf(words: readonly number[]): Buffer {
	const bytes = Buffer.alloc(words.length * 4);
	for (const [at, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, at * 4);
	return bytes;
}

function salsa20(key: Buffer, nonce: Buffer, length: number): Buffer {
	const blocks: Buffer[] = [];
	for (let number = 0; number * 64 < length; number++) {
		const counter = Buffer.alloc(8);
		counter.writeUInt32LE(number);
		const start = salsaState(key, Buffer.concat([nonce, counter]));
		blocks.push(bytesOf([...salsaRounds(start)].map((word, at) => word + (start[at] ?? 0))));
	}
	return Buffer.concat(blocks).subarray(0, length);
}

function poly1305(key: Buffer, bytes: Buffer): Buffer {
	const numberIn = (part: Buffer) => BigInt(`0x0${Buffer.from(part).reverse().toString("hex")}`);
	const r = numberIn(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
	let sum = 0n;
	for (let at = 0; at < bytes.length; at += 16) {
		const part = bytes.subarray(at, at + 16);
		sum = ((sum + numberIn(part) + (1n << BigInt(8 * part.length))) * r) % ((1n << 130n) - 5n);
	}
	const tag = (sum + numberIn(key.subarray(16))) & ((1n << 128n) - 1n);
	return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}
