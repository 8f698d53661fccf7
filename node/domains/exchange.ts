import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";

/** Where a name server listens. */
export interface Server {
	readonly address: string;
	readonly port: number;
}

/** How long a datagram is waited for, how often it is sent, and how long a connection may take, in ms. */
export interface Patience {
	readonly datagram: number;
	readonly attempts: number;
	readonly connection: number;
}
export const patience: Patience = { datagram: 1200, attempts: 2, connection: 4000 };

/** Nothing that could be an answer came back. */
export class NoAnswer extends Error {
	override readonly name = "NoAnswer";
	constructor(server: Server, why: string) {
		super(`${written(server)} did not answer: ${why}`);
	}
}

/** `192.0.2.1:53` or `[2001:db8::1]:53`; the port may be left out. */
export function serverAt(text: string): Server {
	const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
	return { address: bracketed ?? plain ?? text, port: Number(port ?? 53) };
}

/** As `serverAt` reads it; the usual port is left out. */
export function written({ address, port }: Server): string {
	const host = isIPv6(address) ? `[${address}]` : address;
	return port === 53 ? address : `${host}:${port}`;
}

/**
 * Sends one datagram and waits for the one that `fits`; others are left lying, since anybody can send them.
 * The socket is connected, so that the kernel keeps away what comes from other addresses.
 */
export function overUdp<Answer>(
	server: Server,
	message: Buffer,
	milliseconds: number,
	fits: (answer: Buffer) => Answer | undefined,
): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
		const end = (finish: () => void) => {
			clearTimeout(timer);
			socket
				.removeAllListeners()
				.on("error", () => {})
				.close();
			finish();
		};
		const fail = (why: string) => end(() => reject(new NoAnswer(server, why)));
		const timer = setTimeout(() => fail(`nothing within ${milliseconds} ms`), milliseconds);
		socket.on("error", (error) => fail(error.message));
		socket.on("message", (received) => {
			const answer = fits(received);
			if (answer !== undefined) end(() => resolve(answer));
		});
		socket.connect(server.port, server.address, () => socket.send(message));
	});
}

/** Sends one message over a connection of its own and gives the next one back, whatever it is (RFC 7766). */
export function overTcp(server: Server, message: Buffer, milliseconds: number): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const socket = connect(server.port, server.address);
		const end = (finish: () => void) => {
			clearTimeout(timer);
			socket
				.removeAllListeners()
				.on("error", () => {})
				.destroy();
			finish();
		};
		const fail = (why: string) => end(() => reject(new NoAnswer(server, why)));
		const timer = setTimeout(() => fail(`nothing within ${milliseconds} ms`), milliseconds);
		let received: Buffer = Buffer.alloc(0);
		socket.on("error", (error) => fail(error.message));
		socket.on("close", () => fail("the connection was closed"));
		socket.on("data", (chunk: Buffer) => {
			received = Buffer.concat([received, chunk]);
			const [framed] = frames(received);
			if (framed) end(() => resolve(framed));
		});
		socket.on("connect", () => socket.write(withLength(message)));
	});
}

/** On a connection every message comes after its length in two bytes (RFC 1035 §4.2.2). */
export function withLength(message: Buffer): Buffer {
	const length = Buffer.alloc(2);
	length.writeUInt16BE(message.length);
	return Buffer.concat([length, message]);
}

/** The whole messages in what has been received so far. */
export function frames(received: Buffer): Buffer[] {
	const found: Buffer[] = [];
	for (let at = 0; at + 2 <= received.length; ) {
		const end = at + 2 + received.readUInt16BE(at);
		if (end > received.length) break;
		found.push(received.subarray(at + 2, end));
		at = end;
	}
	return found;
}
