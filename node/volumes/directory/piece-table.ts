/** Where pieces are, by name: 20 to 40 bytes for each, whatever there is. */
export class PieceTable {
	#keys = new Uint32Array(2 * 1024);
	#places = new Float64Array(1024);
	#indexes = new Uint32Array(1024);
	#size = 0;

	/** Remembers one; what was known by that name before is forgotten. `place` is any whole number ≥ 0. */
	set(hash: string, place: number, index: number): void {
		if (this.#size * 2 >= this.#places.length) this.#grow();
		this.#put(number(hash, 0) + 1, number(hash, 5), place, index);
	}

	/**
	 * Where the piece is. Only 60 bits of its name are compared, which somebody may make equal on purpose: the bytes found
	 * there have to be checked.
	 */
	get(hash: string): { readonly place: number; readonly index: number } | undefined {
		const slot = this.#slot(number(hash, 0) + 1, number(hash, 5));
		if (this.#keys[2 * slot] === 0) return undefined;
		return { place: this.#places[slot] as number, index: this.#indexes[slot] as number };
	}

	#put(high: number, low: number, place: number, index: number): void {
		const slot = this.#slot(high, low);
		if (this.#keys[2 * slot] === 0) this.#size++;
		this.#keys[2 * slot] = high;
		this.#keys[2 * slot + 1] = low;
		this.#places[slot] = place;
		this.#indexes[slot] = index;
	}

	/** The slot of this key, or the free one where it belongs. */
	#slot(high: number, low: number): number {
		const mask = this.#places.length - 1;
		let slot = low & mask;
		while (this.#keys[2 * slot] !== 0 && (this.#keys[2 * slot] !== high || this.#keys[2 * slot + 1] !== low))
			slot = (slot + 1) & mask;
		return slot;
	}

	#grow(): void {
		const [keys, places, indexes] = [this.#keys, this.#places, this.#indexes];
		this.#keys = new Uint32Array(keys.length * 2);
		this.#places = new Float64Array(places.length * 2);
		this.#indexes = new Uint32Array(places.length * 2);
		this.#size = 0;
		for (let slot = 0; slot < places.length; slot++)
			if (keys[2 * slot] !== 0)
				this.#put(
					keys[2 * slot] as number,
					keys[2 * slot + 1] as number,
					places[slot] as number,
					indexes[slot] as number,
				);
	}
}

const digits = Uint8Array.from({ length: 128 }, (_, code) =>
	Math.max(0, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(String.fromCharCode(code))),
);

/** Thirty bits of a name. */
function number(hash: string, from: number): number {
	let bits = 0;
	for (let at = from; at < from + 5; at++) bits = (bits << 6) | (digits[hash.charCodeAt(at) & 127] as number);
	return bits;
}
