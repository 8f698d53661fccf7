/** A frame on the line: length of its body (4 bytes), number of its talk (4), its kind (1), its body. */
export const kinds = { open: 0, data: 1, end: 2, fail: 3, credit: 4, cancel: 5 } as const;

const headSize = 9;
/** No body is longer than this. */
export const mostLength = 16 * 1024 * 1024;
/** Blocks of about this size come again and again, and have their bytes in the same few places. */
const usualLength = 2.25 * 1024 * 1024;
const leastReused = 768 * 1024;
const mostSpare = 4;

export function headOf(id: number, kind: number, chunks: readonly Uint8Array[]): Buffer {
	const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
	if (length > mostLength) throw new Error("This is too long for a frame");
	const head = Buffer.allocUnsafe(headSize);
	head.writeUInt32BE(length);
	head.writeUInt32BE(id, 4);
	head[8] = kind;
	return head;
}

/** Puts frames together from what comes in whatever parts. */
export class FrameReader {
	readonly #give: (id: number, kind: number, body: Buffer) => void;
	readonly #head = Buffer.alloc(headSize);
	#headed = 0;
	#body: Buffer | undefined;
	#filled = 0;
	readonly #spare: Buffer[] = [];

	constructor(give: (id: number, kind: number, body: Buffer) => void) {
		this.#give = give;
	}

	/** Throws for what cannot be a frame. The chunk may be used for something else afterwards. */
	read(chunk: Buffer): void {
		for (let at = 0; at < chunk.length; ) at += this.#body ? this.#fill(chunk, at) : this.#begin(chunk, at);
	}

	/** Takes back a body that nobody uses any more. */
	reuse(body: Buffer): void {
		const whole = body.buffer;
		if (whole.byteLength === usualLength && this.#spare.length < mostSpare)
			this.#spare.push(Buffer.from(whole as ArrayBuffer));
	}

	#begin(chunk: Buffer, at: number): number {
		const some = chunk.copy(this.#head, this.#headed, at);
		this.#headed += some;
		if (this.#headed < headSize) return some;
		const length = this.#head.readUInt32BE();
		if (length > mostLength) throw new Error("A frame is too long");
		this.#body = this.#room(length);
		this.#filled = 0;
		this.#giveIfFull();
		return some;
	}

	#fill(chunk: Buffer, at: number): number {
		const body = this.#body as Buffer;
		const some = chunk.copy(body, this.#filled, at);
		this.#filled += some;
		this.#giveIfFull();
		return some;
	}

	#giveIfFull(): void {
		const body = this.#body as Buffer;
		if (this.#filled < body.length) return;
		this.#body = undefined;
		this.#headed = 0;
		this.#give(this.#head.readUInt32BE(4), this.#head[8] as number, body);
	}

	/** Collecting many large blocks as garbage would take more memory, and time, than using a few again. */
	#room(length: number): Buffer {
		if (length < leastReused || length > usualLength) return Buffer.allocUnsafeSlow(length);
		return (this.#spare.pop() ?? Buffer.allocUnsafeSlow(usualLength)).subarray(0, length);
	}
}
