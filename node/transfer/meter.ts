import type { Amount } from "./wanted.ts";

/** How far a transfer is. Items are entries; rate is bytes a second, null while nobody can say. */
export interface Progressed {
	readonly bytes: number;
	readonly bytesOf: number;
	readonly items: number;
	readonly itemsOf: number;
	readonly rate: number | null;
}

/** Milliseconds between two reports, and how long a rate is measured. */
const often = 250;
const span = 2000;

/** Counts what arrives, of several volumes at once, and says so now and then. */
export class Meter {
	readonly #now: () => number;
	readonly #tell: (progressed: Progressed) => void;
	#told = Number.NEGATIVE_INFINITY;
	#since: { at: number; bytes: number };
	#rate: number | null = null;
	readonly #parts: MeterPart[] = [];
	#bytesOf = 0;
	#itemsOf = 0;
	/** Pieces that were taken, and bytes that came over the wire for whatever purpose. */
	pieces = 0;
	wire = 0;

	constructor(now: () => number, tell: (progressed: Progressed) => void) {
		this.#now = now;
		this.#tell = tell;
		this.#since = { at: now(), bytes: 0 };
	}

	/** There is more to do than was known. */
	expect({ bytes, items }: Amount): void {
		this.#bytesOf += bytes;
		this.#itemsOf += items;
		this.tell();
	}

	/** Counts for one volume. */
	part(): MeterPart {
		const part = new MeterPart((pieces) => {
			this.pieces += pieces;
			if (pieces === 0 || this.#now() - this.#told >= often) this.tell();
		});
		this.#parts.push(part);
		return part;
	}

	tell(): void {
		const now = this.#now();
		const sum = (what: "bytes" | "items") => this.#parts.reduce((all, part) => all + part[what], 0);
		const counted = { bytes: sum("bytes"), items: sum("items") };
		const { at, bytes } = this.#since;
		if (now - at >= span || this.#rate === null)
			this.#rate = now > at ? ((counted.bytes - bytes) * 1000) / (now - at) : null;
		if (now - at >= span) this.#since = { at: now, bytes: counted.bytes };
		this.#told = now;
		this.#tell({ ...counted, bytesOf: this.#bytesOf, itemsOf: this.#itemsOf, rate: this.#rate });
	}
}

/** What has come of one volume. */
export class MeterPart {
	readonly #counted: (pieces: number) => void;
	#line = -1;
	bytes = 0;
	items = 0;

	/** `counted` hears of each piece, and of none when something else is known better. */
	constructor(counted: (pieces: number) => void) {
		this.#counted = counted;
	}

	take(line: number, bytes: number): void {
		this.bytes += bytes;
		if (line !== this.#line) this.items++;
		this.#line = line;
		this.#counted(1);
	}

	mark(): Pick<Amount, "bytes" | "items"> {
		return { bytes: this.bytes, items: this.items };
	}

	/** All of this amount is over since `before`, also what did not come. */
	passed(before: Pick<Amount, "bytes" | "items">, { bytes, items }: Amount): void {
		this.bytes = before.bytes + bytes;
		this.items = before.items + items;
		this.#line = -1;
		this.#counted(0);
	}
}
