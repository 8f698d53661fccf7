/** A gateway before a service, both on loopback, for tests of the gateway. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import type { Destination } from "../node/gateway/destination.ts";
import { Gateway } from "../node/gateway/gateway.ts";
import type { Limits } from "../node/gateway/limits.ts";
import { afterwards, listening, service } from "./loopback.ts";

export const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const about = { provider: "North", panel: "https://north.example/" };

/** A gateway that leads every host to a port, or where `find` says. */
export async function open(port: number, limits: Partial<Limits> = {}, find?: () => Destination) {
	const gateway = new Gateway({
		find: find ?? (() => ({ kind: "service", port })),
		panel: () => {},
		about,
		trustProxy: false,
		limits,
	});
	const at = await gateway.listen({ host: "127.0.0.1", port: 0 });
	afterwards(() => gateway.close(0));
	return { gateway, at };
}

export async function gatewayTo(...destination: Parameters<typeof open>): Promise<number> {
	return (await open(...destination)).at;
}

/** A gateway before a service that answers like this. */
export async function before(
	handler: (request: IncomingMessage, response: ServerResponse) => void,
	limits?: Partial<Limits>,
) {
	const seen = await service(handler);
	return { ...seen, ...(await open(seen.port, limits)) };
}

/** A gateway before a listener that says this, byte for byte, to whatever it hears. */
export async function beforeRaw(...pieces: string[]) {
	const heard: string[] = [];
	const server = createServer((socket) => {
		let turn = 0;
		socket.on("data", (data) => {
			heard.push(data.toString("latin1"));
			const piece = pieces[turn++];
			if (piece === undefined || piece.endsWith("END")) socket.end(piece?.slice(0, -3) ?? "", "latin1");
			else socket.write(piece, "latin1");
		});
	});
	return { heard, at: await gatewayTo(await listening(server)) };
}
