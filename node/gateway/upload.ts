import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** The client sent more than the gateway takes. */
export class TooLarge extends Error {
	override readonly name = "TooLarge";
}

/**
 * A request's body on its way to a service, piece by piece and no faster than the service takes it.
 * When the service answers early and stops listening, undici destroys this and not the request, on whose connection
 * the answer still has to go out; the rest of the body then runs into the void. `most` in bytes, 0 for no limit.
 */
export class Upload extends Readable {
	readonly #request: IncomingMessage;
	#left: number;

	constructor(request: IncomingMessage, most: number) {
		super();
		this.#request = request;
		this.#left = most === 0 ? Number.POSITIVE_INFINITY : most;
		request.on("data", this.#take).on("end", this.#end);
		// undici listens while it sends; an error at any other time would end the node.
		this.on("error", () => {});
	}

	override _read(): void {
		this.#request.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#request.off("data", this.#take).off("end", this.#end);
		// What came between the answer and this may have paused it.
		this.#request.resume();
		done(error);
	}

	readonly #take = (piece: Buffer): void => {
		this.#left -= piece.length;
		if (this.#left < 0) this.destroy(new TooLarge());
		else if (!this.push(piece)) this.#request.pause();
	};

	readonly #end = (): void => {
		this.push(null);
	};
}

/**
 * Takes in the rest of a body after the answer, for at most `time`: a client that is cut off while it sends may never
 * see the answer (RFC 9112, 9.6), and one that sends for ever shall not.
 */
export function linger(request: IncomingMessage, time: number): void {
	if (request.complete) return;
	request.resume();
	const timer = setTimeout(() => request.socket.destroy(), time);
	request.once("close", () => clearTimeout(timer));
}
