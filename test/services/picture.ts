import { crc32, deflateSync } from "node:zlib";

/** A PNG of 64 by 64 points in one colour (https://www.w3.org/TR/png/). */
export function picture(colour: Uint8Array): Buffer<ArrayBuffer> {
	const side = 64;
	const header = Buffer.alloc(13);
	header.writeUInt32BE(side, 0);
	header.writeUInt32BE(side, 4);
	// Eight bits each of red, green and blue.
	header.set([8, 2], 8);
	const row = Buffer.concat([Buffer.alloc(1), ...Array.from({ length: side }, () => Buffer.from(colour))]);
	const rows = Buffer.concat(Array.from({ length: side }, () => row));
	const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
	return Buffer.concat([
		signature,
		chunk("IHDR", header),
		chunk("IDAT", deflateSync(rows)),
		chunk("IEND", Buffer.alloc(0)),
	]);
}

function chunk(type: string, data: Buffer): Buffer {
	const named = Buffer.concat([Buffer.from(type), data]);
	const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
	length.writeUInt32BE(data.length);
	sum.writeUInt32BE(crc32(named));
	return Buffer.concat([length, named, sum]);
}
