import type { Socket } from "node:net";
import { addressOf } from "./head.ts";

/** How many connections each address has open. */
export class Clients {
	readonly #open = new Map<string, number>();

	/** Counts a connection until it closes; gives how many its address has open with it. */
	add(socket: Socket): number {
		const address = addressOf(socket);
		const open = (this.#open.get(address) ?? 0) + 1;
		this.#open.set(address, open);
		socket.once("close", () => this.#remove(address));
		return open;
	}

	/** Connections of all addresses. */
	get size(): number {
		let sum = 0;
		for (const open of this.#open.values()) sum += open;
		return sum;
	}

	#remove(address: string): void {
		const left = (this.#open.get(address) ?? 0) - 1;
		if (left > 0) this.#open.set(address, left);
		else this.#open.delete(address);
	}
}
