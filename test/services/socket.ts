import { Agent, WebSocket } from "undici";
import type { Site } from "./site.ts";

const toThisMachine = new Agent({
	connect: { lookup: (_name, _options, found) => found(null, [{ address: "127.0.0.1", family: 4 }]) },
});

/** A WebSocket through the gateway that keeps what comes until somebody asks for it. */
export class Socket {
	readonly #socket: WebSocket;
	readonly #seen: string[] = [];
	#ended = false;
	#changed: () => void = () => {};

	private constructor(socket: WebSocket) {
		this.#socket = socket;
		socket.addEventListener("message", ({ data }) => {
			this.#seen.push(String(data));
			this.#changed();
		});
		for (const event of ["close", "error"] as const)
			socket.addEventListener(event, () => {
				this.#ended = true;
				this.#changed();
			});
	}

	static async open(site: Pick<Site, "origin">, path: string, protocols: string[] = []): Promise<Socket> {
		const url = site.origin.replace(/^http/, "ws") + path;
		const bare = new WebSocket(url, { protocols, dispatcher: toThisMachine });
		const socket = new Socket(bare);
		await new Promise((open, failed) => {
			bare.addEventListener("open", open);
			bare.addEventListener("close", () => failed(new Error(`${url} does not open`)));
		});
		return socket;
	}

	send(message: string): void {
		this.#socket.send(message);
	}

	/** Waits for the first message that fits; others stay. */
	async until(fits: (message: string) => boolean): Promise<string> {
		for (;;) {
			const at = this.#seen.findIndex(fits);
			if (at >= 0) return this.#seen.splice(at, 1)[0] ?? "";
			if (this.#ended) throw new Error(`the connection ended after ${JSON.stringify(this.#seen)}`);
			await new Promise<void>((changed) => {
				this.#changed = changed;
			});
		}
	}

	end(): void {
		this.#socket.close();
	}
}
