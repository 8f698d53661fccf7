import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { endToEnd } from "./hop-by-hop.ts";
import { linger, TooLarge } from "./upload.ts";

/** Why there is no answer from the service: nothing listens or it hung up, it took too long, we did not let it in. */
export type Failure = "gone" | "slow" | "too-large";

/** What an exchange is to know besides the two sides. */
export interface Terms {
	/** How long the rest of a body is still taken in when the answer is out. */
	readonly linger: number;
	/** It failed before a byte of the answer went out. `stale`: the connection had gone unnoticed. */
	failed(failure: Failure, stale: boolean): void;
	/** Its end after the answer's head: whether all of the answer came. Not called when the client turned away. */
	ended?(isWhole: boolean): void;
	/** A status that counts as no answer at all. */
	readonly noAnswer?: number | undefined;
}

/** Bytes up to which node:http joins head and body into one write, if both are texts; that takes a tenth off the CPU. */
const onePiece = 16 * 1024;

/** One request at a service and its answer on the way back: undici's handler, no faster than the client reads. */
export class Exchange implements Dispatcher.DispatchHandler {
	readonly #request: IncomingMessage;
	readonly #response: ServerResponse;
	readonly #terms: Terms;
	#controller: Dispatcher.DispatchController | undefined;
	#isOver = false;
	#hasBody = false;

	constructor(request: IncomingMessage, response: ServerResponse, terms: Terms) {
		this.#request = request;
		this.#response = response;
		this.#terms = terms;
		response.once("close", this.#hangUp);
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.#controller = controller;
		if (this.#response.destroyed) controller.abort(new Error("The client is gone"));
	}

	onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
		// Interim answers, such as 103, are for us; node:http has already said 100 to the client.
		if (status < 200) return;
		if (status === this.#terms.noAnswer) return void controller.abort(new Error(`An answer with ${status} is none`));
		this.#response.writeHead(status, endToEnd(headers));
		// A stream of events may have nothing to say for long, but its head opens the connection at once. An answer
		// that came in one piece has been written by then, so it stays one piece.
		queueMicrotask(this.#flush);
	}

	onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
		const isSmall = !this.#hasBody && chunk.length < onePiece;
		this.#hasBody = true;
		if (isSmall ? this.#response.write(chunk.toString("latin1"), "latin1") : this.#response.write(chunk)) return;
		controller.pause();
		this.#response.once("drain", () => controller.resume());
	}

	onResponseEnd(): void {
		this.#isOver = true;
		this.#response.end();
		linger(this.#request, this.#terms.linger);
		this.#terms.ended?.(true);
	}

	onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error & { code?: string }): void {
		this.#isOver = true;
		this.#response.off("close", this.#hangUp);
		if (this.#response.destroyed) return;
		if (!this.#response.headersSent) return void this.#terms.failed(failureOf(error), isStale(error));
		this.#response.destroy();
		this.#terms.ended?.(false);
	}

	readonly #flush = (): void => {
		if (!this.#hasBody && !this.#isOver) this.#response.flushHeaders();
	};

	readonly #hangUp = (): void => {
		if (!this.#isOver) this.#controller?.abort(new Error("The client is gone"));
	};
}

function failureOf(error: Error & { code?: string }): Failure {
	if (error instanceof TooLarge) return "too-large";
	return ["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "ETIMEDOUT"].includes(error.code ?? "")
		? "slow"
		: "gone";
}

/** A service may close a connection that was kept open just when we send on it. */
function isStale(error: Error & { code?: string }): boolean {
	return ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(error.code ?? "");
}
