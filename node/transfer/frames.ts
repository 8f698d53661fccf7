import { createCipheriv, createDecipheriv, hash } from "node:crypto";
import type { StreamKey } from "#protocol/migration/seal.ts";
import { type Arrival, StreamRefused } from "./arrival.ts";
import { keepRoom } from "./release.ts";

/** Pieces travel together until a frame has about this many bytes. */
export const frameSize = 1024 * 1024;
const mostLength = 2 * frameSize;
const sealedKeySize = 80;
const headSize = 4;
const tagSize = 16;
const lastBit = 0x8000_0000;

/** What every frame of a stream is bound to: the session and the one request that it answers. */
export function contextOf(sid: string, request: Uint8Array): Buffer {
	return hash("sha256", `fediversity pieces 1\n${sid}\n${hash("sha256", request, "base64url")}`, "buffer");
}

/** Seals frames, as the comment in protocol/migration/seal.ts describes them. */
export class Sealer {
	readonly #key: Uint8Array;
	readonly #context: Buffer;
	#number = 0;
	/** What must be on the wire before the next frame's bytes. */
	#before: Buffer;

	constructor({ key, sealed }: Pick<StreamKey, "key" | "sealed">, context: Buffer) {
		keepRoom();
		this.#key = key;
		this.#context = context;
		const length = Buffer.allocUnsafe(2);
		length.writeUInt16BE(sealed.length);
		this.#before = Buffer.concat([length, sealed]);
	}

	/** The bytes of one more frame. `plain` may be used for something else afterwards. */
	frame(plain: Uint8Array, isLast: boolean): Buffer[] {
		const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(this.#number++, isLast));
		cipher.setAAD(this.#context);
		const sealed = cipher.update(plain);
		cipher.final();
		const head = Buffer.allocUnsafe(this.#before.length + headSize);
		this.#before.copy(head);
		head.writeUInt32BE(isLast ? sealed.length + lastBit : sealed.length, this.#before.length);
		this.#before = cipher.getAuthTag();
		return isLast ? [head, sealed, this.#before] : [head, sealed];
	}
}

/** Opens a stream's frames one after the other. Throws `StreamRefused` for whatever `Sealer` did not make for this context. */
export async function* openFrames(
	arrival: Arrival,
	open: (sealed: Uint8Array) => Promise<Uint8Array>,
	context: Buffer,
): AsyncGenerator<Buffer> {
	keepRoom();
	const key = await open(await sealedKey(arrival)).catch((cause) => {
		throw new StreamRefused("The key is not sealed to this session", { cause });
	});
	const sealed = Buffer.allocUnsafe(mostLength + tagSize);
	for (let number = 0, isLast = false; !isLast; number++) {
		const head = (await arrival.take(headSize)).readUInt32BE();
		isLast = head >= lastBit;
		const length = isLast ? head - lastBit : head;
		if (length > mostLength) throw new StreamRefused("A frame is too long");
		await arrival.fill(sealed.subarray(0, length + tagSize));
		yield opened(sealed.subarray(0, length + tagSize), key, nonceOf(number, isLast), context);
	}
	await arrival.end();
}

async function sealedKey(arrival: Arrival): Promise<Buffer> {
	const length = (await arrival.take(2)).readUInt16BE();
	if (length !== sealedKeySize) throw new StreamRefused("There is no key");
	return arrival.take(length);
}

function opened(sealed: Buffer, key: Uint8Array, nonce: Buffer, context: Buffer): Buffer {
	const length = sealed.length - tagSize;
	const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagSize });
	decipher.setAAD(context);
	decipher.setAuthTag(sealed.subarray(length));
	const plain = decipher.update(sealed.subarray(0, length));
	try {
		decipher.final();
	} catch {
		throw new StreamRefused("A frame is not what was sealed");
	}
	return plain;
}

function nonceOf(number: number, isLast: boolean): Buffer {
	const nonce = Buffer.alloc(12);
	nonce.writeUIntBE(number, 5, 6);
	nonce[11] = isLast ? 1 : 0;
	return nonce;
}

const pieceHead = 8;

/** Collects pieces for a frame in one buffer that is used again and again. */
export class Packer {
	readonly #buffer = Buffer.allocUnsafe(mostLength);
	#used = 0;

	/** Whether a piece of this many bytes should rather begin a frame of its own. */
	isFullFor(bytes: number): boolean {
		return this.#used > 0 && this.#used + pieceHead + bytes > frameSize;
	}

	/** `ordinal` says which of the pieces asked for it is. */
	add(ordinal: number, bytes: Uint8Array): void {
		this.#buffer.writeUInt32BE(ordinal, this.#used);
		this.#buffer.writeUInt32BE(bytes.length, this.#used + 4);
		this.#buffer.set(bytes, this.#used + pieceHead);
		this.#used += pieceHead + bytes.length;
	}

	/** What was collected, good until the next `add`. */
	take(): Buffer {
		const taken = this.#buffer.subarray(0, this.#used);
		this.#used = 0;
		return taken;
	}
}

/** The pieces in an opened frame, as views into it. */
export function* unpacked(plain: Buffer): Generator<{ ordinal: number; bytes: Buffer }> {
	for (let at = 0; at < plain.length; ) {
		const start = at + pieceHead;
		const stop = start + (start <= plain.length ? plain.readUInt32BE(at + 4) : plain.length);
		if (stop > plain.length) throw new StreamRefused("A frame holds half a piece");
		yield { ordinal: plain.readUInt32BE(at), bytes: plain.subarray(start, stop) };
		at = stop;
	}
}
