/** A bad line to one node, bytes carried by hand: what TCP makes of loss, jitter, a thin or a broken wire. Needs no kernel's help. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { At } from "./internet.ts";

/** What is wrong with it, both ways. */
export interface Weather {
	/** Bytes a second, for all connections together. */
	readonly rate?: number;
	/** Most bytes that come at once. */
	readonly packet?: number;
	/** Each packet takes up to so many ms, so that connections overtake each other. */
	readonly jitter?: number;
	/** One packet of so many is lost. It comes when it is sent anew: so many ms later, and all behind it too. */
	readonly loss?: { readonly oneOf: number; readonly again: number };
	/** So many connections are reset, each after so many bytes at most. */
	readonly resets?: { readonly times: number; readonly within: number };
}

export class Line {
	readonly #to: At;
	readonly #weather: Weather;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();
	/** Of the whole line: when the last byte that was sent has gone through, by the process's clock. */
	#busyUntil = 0;
	#mended = Promise.resolve();
	#refuses = false;
	/** How often it was bad. */
	readonly told = { packets: 0, lost: 0, resets: 0, refused: 0 };

	static async open(to: At, weather: Weather = {}): Promise<Line> {
		const line = new Line(to, weather);
		line.#server.listen(0, "127.0.0.1");
		await once(line.#server, "listening");
		return line;
	}

	private constructor(to: At, weather: Weather) {
		this.#to = to;
		this.#weather = weather;
		this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#carry(socket));
	}

	get at(): At {
		const address = this.#server.address();
		if (address === null || typeof address === "string") throw new Error("The line is not open");
		return { host: "127.0.0.1", port: address.port };
	}

	/** Until this is over nothing comes through and nobody is told; what is under way waits. */
	fallSilent(over: Promise<void>): void {
		this.#mended = over;
	}

	/** Until this is over every connection is refused, and those there are break. */
	fallApart(over: Promise<void>): void {
		this.#refuses = true;
		void over.then(() => {
			this.#refuses = false;
		});
		for (const socket of this.#sockets) socket.resetAndDestroy();
	}

	async close(): Promise<void> {
		for (const socket of this.#sockets) socket.destroy();
		this.#server.close();
		await once(this.#server, "close");
	}

	#carry(near: Socket): void {
		if (this.#refuses) {
			this.told.refused++;
			near.on("error", () => {}).resetAndDestroy();
			return;
		}
		const far = connect({ ...this.#to, allowHalfOpen: true });
		const { times, within } = this.#weather.resets ?? { times: 0, within: 0 };
		const budget = { left: this.told.resets < times ? Math.random() * within : Number.POSITIVE_INFINITY };
		const end = () => {
			for (const socket of [near, far]) socket.destroy();
		};
		for (const socket of [near, far]) {
			this.#sockets.add(socket);
			socket.on("error", end).once("close", () => this.#sockets.delete(socket));
			socket.setNoDelay(true);
		}
		const carry = (from: Socket, to: Socket) =>
			this.#pump(
				from,
				to,
				() => {
					if (budget.left >= 0) return;
					this.told.resets++;
					for (const socket of [near, far]) socket.resetAndDestroy();
				},
				budget,
			).catch(end);
		void carry(near, far);
		void carry(far, near);
	}

	async #pump(from: Socket, to: Socket, check: () => void, budget: { left: number }): Promise<void> {
		const { packet = 1460 * 44 } = this.#weather;
		for await (const chunk of from as AsyncIterable<Buffer>)
			for (let start = 0; start < chunk.length; start += packet) {
				const part = chunk.subarray(start, start + packet);
				await this.#weathered(part.length);
				budget.left -= part.length;
				check();
				if (!to.write(part)) await once(to, "drain");
			}
		await this.#mended;
		to.end();
	}

	/** Resolves when so many bytes would have come through. */
	async #weathered(bytes: number): Promise<void> {
		const { rate, jitter = 0, loss } = this.#weather;
		this.told.packets++;
		await this.#mended;
		if (rate !== undefined) {
			const now = performance.now();
			this.#busyUntil = Math.max(now, this.#busyUntil) + (bytes / rate) * 1000;
			await pause(this.#busyUntil - now);
		}
		if (jitter > 0) await pause(Math.random() * jitter);
		if (loss && this.told.packets % loss.oneOf === 0) {
			this.told.lost++;
			await pause(loss.again);
		}
	}
}
