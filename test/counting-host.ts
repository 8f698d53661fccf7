/** Test equipment: a way to a machine that counts what crosses it, and breaks when it is told to. */
import { PassThrough } from "node:stream";
import type { Host, Running } from "../node/machines/host.ts";

/** Counts what crosses the lines of a host, and cuts one after so many bytes have come. */
export class Counting implements Host {
	readonly name: string;
	readonly #host: Host;
	sent = 0;
	come = 0;
	cutAfter = Number.POSITIVE_INFINITY;

	constructor(host: Host) {
		this.#host = host;
		this.name = host.name;
	}

	async start(words: readonly string[], signal?: AbortSignal): Promise<Running> {
		const running = await this.#host.start(words, signal);
		const [input, output] = [new PassThrough(), new PassThrough()];
		input.on("data", (chunk: Buffer) => {
			this.sent += chunk.length;
		});
		input.pipe(running.input);
		running.output.on("data", (chunk: Buffer) => {
			this.come += chunk.length;
			this.cutAfter -= chunk.length;
			if (this.cutAfter > 0) return;
			this.cutAfter = Number.POSITIVE_INFINITY;
			running.kill();
		});
		running.output.pipe(output);
		return { ...running, input, output };
	}

	run: Host["run"] = (...asked) => this.#host.run(...asked);
	close: Host["close"] = () => this.#host.close();

	/** What has crossed since the last call. */
	taken(): { sent: number; come: number } {
		const { sent, come } = this;
		this.sent = 0;
		this.come = 0;
		return { sent, come };
	}
}
