import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Decoded } from "./decoding.ts";
import { positionOf } from "./live.ts";
import type { ChangeRecord, TableRecord } from "./records.ts";

/** An entry of changes is closed when it has become this long; bytes. */
const fullAt = 4 * 1024 * 1024;

/**
 * Writes changes into numbered files, transaction after transaction; those up to `since` are known already and left out. The
 * files are on the disk after `close`, which answers their names and the place of the last commit in them.
 */
export class ChangeFiles {
	readonly #folder: string;
	readonly #first: number;
	readonly #since: bigint;
	readonly #files: string[] = [];
	readonly #tables = new Map<number, TableRecord>();
	readonly #told = new Set<number>();
	#file: number | null = null;
	#lines: string[] = [];
	#waiting = 0;
	#written = 0;
	#skipping = false;
	#last: string | null = null;
	#isEmpty = true;

	constructor(folder: string, first: number, since: string) {
		this.#folder = folder;
		this.#first = first;
		this.#since = positionOf(since);
	}

	add(records: readonly Decoded[]): void {
		for (const record of records) this.#add(record);
	}

	close(): { files: readonly string[]; last: string | null } {
		this.#finish();
		return { files: this.#files, last: this.#last };
	}

	#add(record: Decoded): void {
		if (record[0] === "begin") {
			this.#skipping = positionOf(record[1]) <= this.#since;
			this.#isEmpty = true;
		} else if (record[0] === "table") this.#describe(record);
		else if (!this.#skipping) this.#take(record);
	}

	#describe(table: TableRecord): void {
		this.#tables.set(table[1], table);
		this.#told.delete(table[1]);
	}

	#take(record: Exclude<ChangeRecord, TableRecord>): void {
		if (record[0] === "commit") {
			this.#last = record[1];
			// A transaction of which nothing is to be seen here needs no commit either.
			if (!this.#isEmpty) this.#line(record);
			return;
		}
		this.#isEmpty = false;
		if (this.#written + this.#waiting > fullAt) this.#finish();
		for (const id of record[0] === "truncate" ? record[1] : [record[1]]) this.#tell(id);
		this.#line(record);
	}

	#tell(id: number): void {
		const table = this.#tables.get(id);
		if (!table || this.#told.has(id)) return;
		this.#told.add(id);
		this.#line(table);
	}

	#line(record: ChangeRecord): void {
		const line = JSON.stringify(record);
		this.#lines.push(line);
		this.#waiting += line.length;
		if (this.#waiting > 1024 * 1024) this.#flush();
	}

	#flush(): void {
		if (this.#lines.length === 0) return;
		this.#file ??= this.#open();
		const bytes = Buffer.from(`${this.#lines.join("\n")}\n`);
		for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
		this.#written += bytes.length;
		this.#waiting = 0;
		this.#lines = [];
	}

	#open(): number {
		const file = `changes-${String(this.#first + this.#files.length).padStart(8, "0")}`;
		this.#files.push(file);
		return openSync(join(this.#folder, file), "w", 0o600);
	}

	#finish(): void {
		this.#flush();
		if (this.#file !== null) {
			fsyncSync(this.#file);
			closeSync(this.#file);
		}
		this.#file = null;
		this.#written = 0;
		this.#told.clear();
	}
}
