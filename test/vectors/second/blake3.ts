/** BLAKE3 with 32 bytes of output and no key, as its paper has it (section 2). */
const iv = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const order = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const [chunkStart, chunkEnd, parent, root] = [1, 2, 4, 8];
/** The four columns of a state of 16 words and then its diagonals, which BLAKE2 mixes in the same order. */
export const quarters = [
	...[
		[0, 4, 8, 12],
		[1, 5, 9, 13],
		[2, 6, 10, 14],
		[3, 7, 11, 15],
	],
	...[
		[0, 5, 10, 15],
		[1, 6, 11, 12],
		[2, 7, 8, 13],
		[3, 4, 9, 14],
	],
] as [number, number, number, number][];

export function blake3(bytes: Uint8Array): Buffer {
	const words = treeOf(bytes, 0, root);
	const result = Buffer.alloc(32);
	for (const [at, word] of words.entries()) result.writeUInt32LE(word, at * 4);
	return result;
}

/** The chaining value of this part, which begins with the chunk of this number; `flags` for its last block. */
function treeOf(bytes: Uint8Array, chunk: number, flags: number): number[] {
	if (bytes.length <= 1024) return chunkOf(bytes, chunk, flags);
	const chunks = Math.ceil(bytes.length / 1024);
	const left = 2 ** (Math.ceil(Math.log2(chunks)) - 1);
	const halves = [
		...treeOf(bytes.subarray(0, left * 1024), chunk, 0),
		...treeOf(bytes.subarray(left * 1024), chunk + left, 0),
	];
	return compressed(iv, halves, 0, 64, parent | flags);
}

function chunkOf(bytes: Uint8Array, number: number, flags: number): number[] {
	const blocks = Math.max(1, Math.ceil(bytes.length / 64));
	let value = iv;
	for (let at = 0; at < blocks; at++) {
		const block = Buffer.alloc(64);
		const length = Buffer.from(bytes.subarray(at * 64, at * 64 + 64)).copy(block);
		const words = Array.from({ length: 16 }, (_, word) => block.readUInt32LE(word * 4));
		const first = at === 0 ? chunkStart : 0;
		const last = at === blocks - 1 ? chunkEnd | flags : 0;
		value = compressed(value, words, number, length, first | last);
	}
	return value;
}

function compressed(
	value: readonly number[],
	block: readonly number[],
	counter: number,
	length: number,
	flags: number,
): number[] {
	const state = Uint32Array.of(...value, ...iv.slice(0, 4), counter, 0, length, flags);
	let words = block;
	for (let round = 0; round < 7; round++) {
		for (const [at, places] of quarters.entries()) mix(state, places, words[at * 2] ?? 0, words[at * 2 + 1] ?? 0);
		const before = words;
		words = order.map((place) => before[place] ?? 0);
	}
	return Array.from({ length: 8 }, (_, at) => ((state[at] ?? 0) ^ (state[at + 8] ?? 0)) >>> 0);
}

function mix(state: Uint32Array, [a, b, c, d]: [number, number, number, number], x: number, y: number): void {
	const add = (to: number, ...more: number[]) => {
		for (const one of more) state[to] = (state[to] ?? 0) + one;
	};
	const turn = (to: number, by: number, bits: number) => {
		const word = (state[to] ?? 0) ^ (state[by] ?? 0);
		state[to] = (word >>> bits) | (word << (32 - bits));
	};
	add(a, state[b] ?? 0, x);
	turn(d, a, 16);
	add(c, state[d] ?? 0);
	turn(b, c, 12);
	add(a, state[b] ?? 0, y);
	turn(d, a, 8);
	add(c, state[d] ?? 0);
	turn(b, c, 7);
}
