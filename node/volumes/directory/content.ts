import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Pace } from "../pace.ts";
import { hashOf, piecesIn } from "../piece.ts";
import { pieceSize } from "../volume.ts";
import { isGone } from "./folders.ts";
import { at } from "./name.ts";
import { signatureOf } from "./records.ts";

/** Without O_NONBLOCK, a pipe that came in place of the file would keep us waiting for ever. */
const asFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What a file held when it was read, and how it looked from outside just before. */
export interface Content {
	readonly size: number;
	readonly signature: string;
	readonly changed: bigint;
	readonly mode: number;
	readonly modified: bigint;
	/** Names of its pieces, one after the other. */
	readonly pieces: string;
	/** Whether it still looked the same afterwards. */
	readonly isSteady: boolean;
}

/** Opens a regular file without following a link; undefined: there is none by this name. */
export function openFile(prefix: string, name: string): number | undefined {
	try {
		const fd = openSync(at(prefix, name), asFile);
		if (fstatSync(fd).isFile()) return fd;
		closeSync(fd);
	} catch (error) {
		if (!isGone(error)) throw error;
	}
}

/** Reads a whole file, piece by piece into `room`, and names its pieces, unless it looks as it did when it was read last. */
export async function readContent(
	fd: number,
	room: Buffer,
	pace: Pace,
	known?: { readonly signature: string; readonly pieces: string },
	sign = signatureOf,
): Promise<Content> {
	const before = fstatSync(fd, { bigint: true });
	const look = { changed: before.ctimeNs, mode: Number(before.mode) & 0o7777, modified: before.mtimeNs };
	const signature = sign(before);
	if (known?.signature === signature) return { ...known, ...look, size: Number(before.size), isSteady: true };
	const expected = piecesIn(Number(before.size));
	const buffer = room.subarray(0, Math.min(pieceSize, Number(before.size)));
	const names: string[] = [];
	let size = 0;
	while (names.length < expected) {
		const read = readFully(fd, buffer, size);
		if (read > 0) names.push(hashOf(buffer.subarray(0, read)));
		size += read;
		if (read < buffer.length) break;
		if (pace.isDue) await pace.rest();
	}
	return {
		size,
		signature,
		...look,
		pieces: names.join(""),
		isSteady: sign(fstatSync(fd, { bigint: true })) === signature,
	};
}

/** Reads until the buffer is full or the file ends; answers how much there was. */
export function readFully(fd: number, buffer: Buffer, position: number): number {
	let done = 0;
	while (done < buffer.length) {
		const read = readSync(fd, buffer, done, buffer.length - done, position + done);
		if (read === 0) break;
		done += read;
	}
	return done;
}
