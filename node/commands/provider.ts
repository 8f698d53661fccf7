import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { Lines, longestLine } from "../engines/nixops4/lines.ts";

export interface ProviderSurroundings {
	readonly environment: NodeJS.ProcessEnv;
	readonly input: Readable;
	/** Resolves when it is written. */
	readonly say: (line: string) => Promise<void>;
	/** The process that started this one. */
	readonly parent: () => number;
}

/**
 * `fediversity provider`: NixOps4 starts it for every resource, so it does nothing but hand each line to the node and the
 * node's answer back. Ends with its input, and when nobody is there any more to hear an answer.
 */
export async function provide({ environment, input, say, parent }: ProviderSurroundings): Promise<void> {
	const requests = new Lines(input, longestLine);
	const starter = parent();
	let node: Talk | undefined;
	let isOrphan = false;
	void orphaned(requests.over, () => parent() !== starter).then(() => {
		isOrphan = true;
		node?.close();
	});
	for (let request = await requests.next(); request !== undefined; request = await requests.next()) {
		node ??= new Talk(environment);
		const answer = await node.ask(request);
		if (isOrphan) break;
		await say(answer);
	}
	node?.close();
}

/** Resolves when the input has ended and whoever wrote it has too; somebody who lives may still want the answer. */
async function orphaned(over: AbortSignal, isOrphan: () => boolean): Promise<void> {
	if (!over.aborted) await new Promise((ended) => over.addEventListener("abort", ended, { once: true }));
	while (!isOrphan()) await wait(100, undefined, { ref: false });
}

/** A connection to the node, for one run. */
class Talk {
	readonly #socket: Socket;
	readonly #answers: Lines;
	#broken: string | undefined;

	constructor(environment: NodeJS.ProcessEnv) {
		const { FEDIVERSITY_RUN_SOCKET: path = "", FEDIVERSITY_RUN_CREDENTIAL_FILE: file = "" } = environment;
		if (!path || !file) this.#broken = "This is started by a node, which sets FEDIVERSITY_RUN_SOCKET and a credential";
		this.#socket = connect(path || "/nowhere");
		this.#socket.on("error", (error) => {
			this.#broken ??= `The node cannot be reached: ${error.message}`;
		});
		this.#answers = new Lines(this.#socket, longestLine);
		try {
			this.#socket.write(`${readFileSync(file, "utf8").trim()}\n`);
		} catch {
			this.#broken ??= "This run is over: its credential is not there any more";
		}
	}

	/** The node's answer, or ours when there is none: always one line. */
	async ask(request: string): Promise<string> {
		if (this.#broken === undefined) this.#socket.write(`${request}\n`);
		const answer = this.#broken === undefined ? await this.#answers.next() : undefined;
		return (
			answer ?? JSON.stringify({ errorResponse: { message: this.#broken ?? "The node ended before it answered" } })
		);
	}

	close(): void {
		this.#socket.destroy();
	}
}
