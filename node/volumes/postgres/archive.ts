import { open } from "node:fs/promises";
import { Problem } from "#protocol/problem.ts";

/** A line of the table of contents of pg_dump's custom format, as pg_restore reads it. */
export interface ArchiveEntry {
	readonly id: number;
	/** What it makes, such as `TABLE` or `TABLE DATA`. It is just a name: what counts are the statements. */
	readonly kind: string;
	readonly tag: string;
	readonly schema: string;
	/** SQL that makes it. */
	readonly definition: string;
	/** SQL that takes its rows. */
	readonly copy: string;
	readonly accessMethod: string;
}

/** Tables of contents that are longer are refused; bytes. */
const longest = 64 * 1024 * 1024;
const unfit = (reason: string) => new Problem("volume-unfit", { path: "base", reason });

/**
 * Reads the table of contents (pg_backup_archiver.c, ReadHead and ReadToc, of PostgreSQL 12 to 17), so that it can be judged by
 * what pg_restore would run, and not by how pg_restore lists it. Reads no more than `most` bytes.
 */
export async function readArchive(file: string, most = longest * 4): Promise<readonly ArchiveEntry[]> {
	const handle = await open(file);
	try {
		for (let length = 256 * 1024; ; length *= 4) {
			const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, Math.min(length, most), 0);
			try {
				return contents(new ArchiveReader(buffer.subarray(0, bytesRead)));
			} catch (error) {
				if (!(error instanceof RangeError)) throw error;
				if (bytesRead < length || length > longest) throw unfit("its table of contents cannot be read");
			}
		}
	} finally {
		await handle.close();
	}
}

/** Two dumps of the same state shall be the same to the last byte: their date goes. */
export async function clearDate(file: string): Promise<void> {
	const handle = await open(file, "r+");
	try {
		const { buffer } = await handle.read(Buffer.alloc(64), 0, 64, 0);
		const reader = new ArchiveReader(buffer);
		reader.head();
		const at = reader.at;
		// Seconds, minutes, hours, day, month and year since 1900 of the first moment of the year 2000; no summer time.
		for (const [index, value] of [0, 0, 0, 1, 0, 100, 0].entries()) reader.writeNumber(at, index, value);
		await handle.write(buffer, 0, 64, 0);
	} finally {
		await handle.close();
	}
}

function contents(reader: ArchiveReader): ArchiveEntry[] {
	const version = reader.head();
	for (let part = 0; part < 7; part++) reader.number();
	for (const _ of ["database", "server", "pg_dump"]) reader.text();
	return Array.from({ length: reader.count() }, () => entry(reader, version));
}

function entry(reader: ArchiveReader, version: number): ArchiveEntry {
	const id = reader.number();
	reader.number(); // Whether it has data.
	reader.text(); // Its catalog's number
	reader.text(); // and its own.
	const tag = reader.text() ?? "";
	const kind = reader.text() ?? "";
	reader.number(); // Section
	const definition = reader.text() ?? "";
	reader.text(); // How to drop it.
	const copy = reader.text() ?? "";
	const schema = reader.text() ?? "";
	reader.text(); // Tablespace
	const accessMethod = reader.text() ?? "";
	if (version >= 16) reader.number();
	reader.text(); // Owner
	reader.text(); // WITH OIDS
	while (reader.text() !== null); // What it depends on.
	reader.offset();
	return { id, kind, tag, schema, definition, copy, accessMethod };
}

/** Throws RangeError where the bytes end. */
class ArchiveReader {
	readonly #bytes: Buffer;
	#intSize = 4;
	#offsetSize = 8;
	at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	/** Everything before the date; answers the minor version of the format, whose major version is 1. */
	head(): number {
		if (this.#take(5).toString("latin1") !== "PGDMP") throw unfit("it is not a dump in the custom format");
		const [major = 0, minor = 0] = this.#take(3);
		if (major !== 1 || minor < 14 || minor > 16)
			throw unfit(`it is in version ${major}.${minor} of the custom format, which is not known here`);
		const [intSize = 0, offsetSize = 0, format = 0] = this.#take(3);
		if (intSize !== 4 || offsetSize !== 8 || format !== 1) throw unfit("it is not a dump in the custom format");
		const compression = minor >= 15 ? this.#take(1)[0] : this.number();
		if (compression !== 0) throw unfit("it is compressed");
		return minor;
	}

	number(): number {
		const [sign = 0, ...digits] = this.#take(1 + this.#intSize);
		const value = digits.reduceRight((sum, digit) => sum * 256 + digit, 0);
		return sign === 0 ? value : -value;
	}

	count(): number {
		const value = this.number();
		if (value < 0 || value > 1_000_000) throw unfit("its table of contents cannot be read");
		return value;
	}

	text(): string | null {
		const length = this.number();
		return length < 0 ? null : this.#take(length).toString("utf8");
	}

	offset(): void {
		this.#take(1 + this.#offsetSize);
	}

	/** Writes the number that stands `index` numbers after `from`. */
	writeNumber(from: number, index: number, value: number): void {
		const at = from + index * (1 + this.#intSize);
		this.#bytes.writeUInt8(0, at);
		this.#bytes.writeUInt32LE(value, at + 1);
	}

	#take(length: number): Buffer {
		if (this.at + length > this.#bytes.length) throw new RangeError("The end");
		this.at += length;
		return this.#bytes.subarray(this.at - length, this.at);
	}
}
