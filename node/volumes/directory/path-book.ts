import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";

const block = 64 * 1024;
/** No entry is longer: a path has at most 4096 bytes. */
const longest = 4200;

/** Paths written into a file, to be found again by the number each is given: only the numbers are in memory. */
export class PathBook {
	readonly #file: string;
	readonly #fd: number;
	readonly #room = Buffer.allocUnsafe(longest);
	#waiting = "";
	#written = 0;

	/** Begins the file anew. */
	constructor(file: string) {
		this.#file = file;
		this.#fd = openSync(file, "w+", 0o600);
	}

	/** Writes down a raw path in one of several trees, and answers its number. */
	add(tree: number, raw: string): number {
		const at = this.#written + this.#waiting.length;
		this.#waiting += `${tree}\0${raw}\0`;
		if (this.#waiting.length > block) this.#flush();
		return at;
	}

	at(number: number): { readonly tree: number; readonly raw: string } {
		if (number >= this.#written) this.#flush();
		const read = readSync(this.#fd, this.#room, 0, longest, number);
		const [tree, raw] = this.#room.toString("latin1", 0, read).split("\0", 2) as [string, string];
		return { tree: Number(tree), raw };
	}

	/** Removes the file. */
	close(): void {
		closeSync(this.#fd);
		rmSync(this.#file, { force: true });
	}

	#flush(): void {
		const bytes = Buffer.from(this.#waiting, "latin1");
		for (let done = 0; done < bytes.length; )
			done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#written + done);
		this.#written += bytes.length;
		this.#waiting = "";
	}
}
