import type { Depot, Room } from "../../../node/engines/local/depot.ts";

/** The rooms that a test gives away (rooms.ts), as its node sees them. */
export class RoomsOf implements Depot {
	readonly #address: string;
	readonly #kind: Room["kind"];

	constructor(address: string, kind: Room["kind"]) {
		[this.#address, this.#kind] = [address, kind];
	}

	open(volume: string): Promise<Room> {
		return this.#ask("POST", volume) as Promise<Room>;
	}

	async erase(volume: string): Promise<void> {
		await this.#ask("DELETE", volume);
	}

	async #ask(method: string, volume: string): Promise<unknown> {
		const answer = await fetch(`${this.#address}/${this.#kind}?volume=${encodeURIComponent(volume)}`, { method });
		if (!answer.ok) throw new Error(await answer.text());
		return answer.json();
	}
}
