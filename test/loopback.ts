/** Servers and bare sockets on loopback, for tests that care about every byte. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Server as NetServer, type Socket } from "node:net";
import { afterEach } from "vitest";

const endings: (() => unknown)[] = [];

afterEach(async () => {
	for (const end of endings.splice(0).reverse()) await end();
});

/** Runs when the test is over, the last one first. */
export function afterwards(end: () => unknown): void {
	endings.push(end);
}

/** Listens until the end of the test; gives the port. */
export async function listening(server: NetServer): Promise<number> {
	const sockets = new Set<Socket>();
	server.on("connection", (socket: Socket) => {
		sockets.add(socket);
		socket.on("error", () => {}).once("close", () => sockets.delete(socket));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	afterwards(() => {
		for (const socket of sockets) socket.destroy();
		return new Promise((resolve) => server.close(resolve));
	});
	return (server.address() as AddressInfo).port;
}

/** A service, with all the requests it has seen. */
export interface Seen {
	readonly port: number;
	readonly server: Server;
	readonly requests: IncomingMessage[];
}

export async function service(handler: RequestListener): Promise<Seen> {
	const requests: IncomingMessage[] = [];
	const server = createServer((request, response) => {
		requests.push(request);
		handler(request, response);
	});
	return { port: await listening(server), server, requests };
}

/** A connection that sends what it is given and keeps all that comes back, byte by byte as Latin-1. */
export class Line {
	readonly socket: Socket;
	received = "";
	isClosed = false;

	constructor(port: number, text = "") {
		this.socket = connect(port, "127.0.0.1");
		this.socket.setNoDelay(true);
		this.socket.on("data", (piece) => {
			this.received += piece.toString("latin1");
		});
		this.socket
			.on("error", () => {})
			.once("close", () => {
				this.isClosed = true;
			});
		this.send(text);
		afterwards(() => this.socket.destroy());
	}

	send(text: string): this {
		if (text !== "") this.socket.write(text, "latin1");
		return this;
	}

	async until(done: (received: string) => boolean): Promise<string> {
		await eventually(() => done(this.received) || this.isClosed);
		return this.received;
	}

	/** All that came, once the other side has closed the connection. */
	async closed(): Promise<string> {
		await eventually(() => this.isClosed);
		return this.received;
	}
}

/** Sends one request and gives the whole answer; the connection is closed after it. `\n` becomes CRLF. */
export function ask(port: number, head: string, body = ""): Promise<string> {
	return new Line(port, `${head.replaceAll("\n", "\r\n")}\r\nConnection: close\r\n\r\n${body}`).closed();
}

/** Waits until something is so. The test's own time limit ends the waiting. */
export async function eventually(isSo: () => boolean): Promise<void> {
	while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Waits until a number has stopped growing: nothing more gets through. */
export async function settled(read: () => number): Promise<number> {
	for (let before = -1; ; ) {
		const now = read();
		if (now === before && now > 0) return now;
		before = now;
		await new Promise((resolve) => setTimeout(resolve, 250));
	}
}
