import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { hashOf } from "../piece.ts";
import { pieceSize } from "../volume.ts";

/** Pieces of a file in order, from this one on, one in memory at a time. The buffer is used again for the next piece. */
export async function* piecesIn(file: string, signal: AbortSignal, first = 0): AsyncGenerator<Uint8Array> {
	const handle = await open(file);
	try {
		const buffer = Buffer.allocUnsafe(pieceSize);
		for (let at = first * pieceSize; ; ) {
			signal.throwIfAborted();
			let filled = 0;
			for (let read = -1; read !== 0 && filled < pieceSize; filled += read)
				read = (await handle.read(buffer, filled, pieceSize - filled, at + filled)).bytesRead;
			if (filled > 0) yield buffer.subarray(0, filled);
			if (filled < pieceSize) return;
			at += filled;
		}
	} finally {
		await handle.close();
	}
}

/** The lines of a file, one in memory at a time. */
export async function* linesIn(file: string, signal: AbortSignal): AsyncGenerator<string> {
	let rest: Buffer[] = [];
	for await (const piece of piecesIn(file, signal)) {
		// The buffer is filled again while a line that goes on is still waiting.
		const chunk = Buffer.from(piece);
		let from = 0;
		for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
			rest.push(chunk.subarray(from, end));
			yield Buffer.concat(rest).toString("utf8");
			rest = [];
			from = end + 1;
		}
		rest.push(chunk.subarray(from));
	}
	const last = Buffer.concat(rest).toString("utf8");
	if (last !== "") yield last;
}

/** How long a file is, and what its pieces are called. */
export async function piecesOf(file: string, signal: AbortSignal): Promise<{ size: number; pieces: string[] }> {
	const pieces: string[] = [];
	let size = 0;
	for await (const piece of piecesIn(file, signal)) {
		pieces.push(hashOf(piece));
		size += piece.length;
	}
	return { size, pieces };
}

/** How many bytes the piece with this index has in an entry of `size` bytes. */
export const lengthOf = (size: number, index: number) => Math.min(pieceSize, size - index * pieceSize);

/** Writes a small file so that after a crash it is there with the old content or with the new. */
export async function keep(file: string, content: string): Promise<void> {
	const handle = await open(`${file}.new`, "w", 0o600);
	try {
		await handle.writeFile(content);
		await handle.sync();
	} finally {
		await handle.close();
	}
	await rename(`${file}.new`, file);
	await sync(dirname(file));
}

/** Waits until a file or folder is on the disk. */
export async function sync(path: string): Promise<void> {
	const handle = await open(path);
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}
