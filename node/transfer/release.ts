import type { Writable } from "node:stream";

/** Only what lies alone in its memory; small buffers share theirs. */
const least = 64 * 1024;

/**
 * Gives a buffer's memory back at once. Left to the garbage collector, a hundred megabytes of frames gather before it
 * looks: it sees how many objects there are, not how large what they stand for is.
 */
export function release({ buffer, byteOffset, length }: Uint8Array): void {
	if (length >= least && byteOffset === 0 && length === buffer.byteLength && buffer instanceof ArrayBuffer)
		buffer.transfer(0);
}

/** The GNU C library's own limit for this is 32 MiB. */
const roomy = 4 * 1024 * 1024;

/**
 * Has the C library keep memory for buffers up to this size for the next ones. Left alone it gives each of 128 KiB and more back
 * to the system, and to get it again, page by page, costs three times what sealing does; having seen one this large end,
 * it keeps smaller ones (mallopt(3), M_MMAP_THRESHOLD). Where it is another library nothing happens.
 */
export function keepRoom(): void {
	release(Buffer.allocUnsafeSlow(roomy));
}

/**
 * Writes buffers that nobody else uses to a connection (or what ends in one, such as an answer by HTTP), no faster than they
 * are taken, and gives back their memory once they have left. Leaves `to` open.
 */
export async function send(buffers: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
	for await (const bytes of buffers) {
		if (to.destroyed) throw new Error("The other side has hung up");
		if (!to.write(bytes, () => release(bytes))) await roomIn(to);
	}
}

/** Until more can be written, or nothing ever. */
function roomIn(to: Writable): Promise<void> {
	return new Promise((resolve) => {
		const go = () => {
			to.off("drain", go).off("close", go);
			resolve();
		};
		to.on("drain", go).on("close", go);
	});
}
