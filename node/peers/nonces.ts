import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** For how long one file is written to, ms. */
const turn = 30_000;

/**
 * Which requests have been seen: each signature is good for one. In memory, and line by line in files of some seconds each,
 * which no call waits for to reach the disk; in a database, remembering took a seventh of what a call costs. A node that is
 * killed forgets none; a power cut may take the last ones, and a machine that starts again after it takes about as long as
 * they are good for.
 */
export class Nonces {
	readonly #folder: string;
	readonly #now: () => number;
	/** The last one is written to. */
	readonly #pages: Page[];
	#begun = Number.NEGATIVE_INFINITY;
	#fd: number | undefined;

	/** One process at a time has the folder, which is made if needed. */
	constructor(folder: string, now: () => number) {
		this.#folder = folder;
		this.#now = now;
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const numbers = readdirSync(folder).filter((name) => /^\d+$/.test(name));
		this.#pages = numbers.sort((one, other) => Number(one) - Number(other)).map((name) => new Page(folder, name));
	}

	/** True for the one request that comes first; remembered until it would be too old anyway (ms). */
	once(key: string, nonce: string, until: number): boolean {
		const request = `${nonce} ${key}`;
		if (this.#pages.some((page) => page.requests.has(request))) return false;
		const page = this.#page();
		writeSync(this.#fd as number, `${until} ${request}\n`);
		page.add(request, until);
		return true;
	}

	close(): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
		this.#fd = undefined;
		this.#begun = Number.NEGATIVE_INFINITY;
	}

	/** The page to write to. With each new one, those that nobody needs any more go. */
	#page(): Page {
		const now = this.#now();
		const current = this.#pages.at(-1);
		if (current && Math.abs(now - this.#begun) < turn) return current;
		this.close();
		const old = this.#pages.filter(({ until }) => until < now);
		for (const page of old) rmSync(page.file, { force: true });
		const left = this.#pages.filter((page) => !old.includes(page));
		const page = new Page(this.#folder, String(Number(current?.name ?? 0) + 1));
		this.#fd = openSync(page.file, "a", 0o600);
		this.#begun = now;
		this.#pages.splice(0, this.#pages.length, ...left, page);
		return page;
	}
}

/** Requests that came in one turn. */
class Page {
	readonly name: string;
	readonly file: string;
	readonly requests = new Set<string>();
	/** When the last of them is too old. */
	until = 0;

	/** As the file has it, if there is one. */
	constructor(folder: string, name: string) {
		this.name = name;
		this.file = join(folder, name);
		for (const line of textOf(this.file).split("\n")) {
			// A power cut may have left half a line, and nothing more.
			const [, until, request] = /^(\d+) (.+)$/.exec(line) ?? [];
			if (until && request) this.add(request, Number(until));
		}
	}

	add(request: string, until: number): void {
		this.requests.add(request);
		this.until = Math.max(this.until, until);
	}
}

function textOf(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
		throw error;
	}
}
