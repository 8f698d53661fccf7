import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket, type Server as TcpServer } from "node:net";
import { withLength } from "../domains/exchange.ts";
import type { DnsRecord } from "../domains/zone.ts";
import { Authority } from "./authority.ts";
import { ZoneData } from "./zone-data.ts";

export interface NameServerOptions {
	/** The one zone it answers for, such as `localhost`. */
	readonly zone: string;
	/** Where the records are kept that updates bring. */
	readonly file: string;
	/** 0: any free one. */
	readonly port: number;
	/** Where it listens; by default on 127.0.0.1 only. */
	readonly host?: string;
	/** Who may send updates: the name and the secret, base64, of each node's TSIG key. */
	readonly keys: readonly { readonly name: string; readonly secret: string }[];
	/** Names that are there from the start and nobody changes, such as the panels'. */
	readonly records: readonly DnsRecord[];
	readonly now: () => number;
}

export interface NameServer {
	/** UDP and TCP, on 127.0.0.1. */
	readonly port: number;
	/** All records at a name, without a way over the network. */
	lookup(name: string): readonly DnsRecord[];
	/** All that updates brought. */
	records(): readonly DnsRecord[];
	close(): Promise<void>;
}

const loopback = "127.0.0.1";

/** A small authoritative name server for one zone, with signed updates: what a provider has in Knot or BIND, for the demo. */
export async function openNameServer(options: NameServerOptions): Promise<NameServer> {
	const fixed = [
		...options.records,
		{ type: "A", name: `ns.${options.zone}`, value: options.host ?? loopback, ttl: 60 } as const,
	];
	const data = new ZoneData(options.zone, fixed, options.file);
	const keys = options.keys.map(({ name, secret }) => ({ name, secret: Buffer.from(secret, "base64") }));
	const authority = new Authority(data, keys, options.now);
	const { tcp, udp, port } = await listen(options.port, options.host ?? loopback);
	const connections = new Set<Socket>();
	tcp.on("connection", (socket) => converse(socket, authority, connections));
	udp.on("message", (message, peer) => {
		const answer = authority.answer(message, "udp");
		if (answer) udp.send(answer, peer.port, peer.address);
	});
	return {
		port,
		lookup: (name) => data.at(name.toLowerCase()),
		records: () => data.records,
		async close() {
			for (const connection of connections) connection.destroy();
			await Promise.all([new Promise((done) => tcp.close(done)), new Promise<void>((done) => udp.close(done))]);
		},
	};
}

/** Takes the messages of one connection in turn; ends it when it is idle or sends what cannot be a message. */
function converse(socket: Socket, authority: Authority, connections: Set<Socket>) {
	connections.add(socket);
	socket.setTimeout(10_000, () => socket.destroy());
	socket.on("error", () => socket.destroy());
	socket.on("close", () => connections.delete(socket));
	let received: Buffer = Buffer.alloc(0);
	socket.on("data", (chunk: Buffer) => {
		received = Buffer.concat([received, chunk]);
		while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
			const end = 2 + received.readUInt16BE(0);
			const answer = authority.answer(received.subarray(2, end), "tcp");
			if (!answer) return socket.destroy();
			socket.write(withLength(answer));
			received = received.subarray(end);
		}
	});
}

/** TCP and UDP on one port; with port 0, another one if somebody else has the UDP half of it. */
async function listen(
	wanted: number,
	host: string,
	tries = 5,
): Promise<{ tcp: TcpServer; udp: UdpSocket; port: number }> {
	const tcp = createServer().listen(wanted, host);
	await once(tcp, "listening");
	const { port } = tcp.address() as { port: number };
	const udp = createSocket("udp4");
	try {
		udp.bind(port, host);
		await once(udp, "listening");
		return { tcp, udp, port };
	} catch (error) {
		tcp.close();
		if (wanted !== 0 || tries <= 1) throw error;
		return listen(wanted, host, tries - 1);
	}
}
