import { stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { type Client, client } from "#protocol/client.ts";
import { Exit } from "./terminal.ts";

/** The staff API of the node that runs with this configuration, over the operators' Unix socket. */
export function runningNode(socket: string): Client {
	return client(fetchOver(socket));
}

/** Whether a node answers on its socket. */
export async function isRunning(socket: string): Promise<boolean> {
	try {
		await fetchOver(socket)("/api/v1/provider");
		return true;
	} catch (error) {
		if (error instanceof Exit) return false;
		throw error;
	}
}

/** Like `fetch`, through a Unix socket: the path says what, the socket says where. */
export function fetchOver(socket: string): typeof fetch {
	return async (path, { method = "GET", headers = {}, body, signal } = {}) => {
		await trusted(socket);
		const { request } = await import("node:http");
		const answer = new Promise<IncomingMessage>((resolve, reject) => {
			const options = { socketPath: socket, path: String(path), method, headers: headers as Record<string, string> };
			request({ ...options, ...(signal && { signal }) })
				.on("response", resolve)
				.on("error", (error: NodeJS.ErrnoException) => reject(explained(error, socket)))
				.end(body);
		});
		return responseOf(await answer);
	};
}

async function responseOf(message: IncomingMessage): Promise<Response> {
	const chunks = await message.toArray();
	const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)] as [string, string]);
	const status = message.statusCode ?? 502;
	return new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers });
}

/** A socket of somebody else could be a trap: only our own, or root's, is spoken to. */
async function trusted(socket: string): Promise<void> {
	const { uid } = await stat(socket).catch((error) => {
		throw explained(error, socket);
	});
	const me = process.getuid?.();
	if (me !== undefined && me !== 0 && uid !== me && uid !== 0)
		throw new Exit("failure", `${socket} belongs to another user; run this as the user the node runs as`);
}

function explained(error: NodeJS.ErrnoException, socket: string): Error {
	if (error.code === "ENOENT" || error.code === "ECONNREFUSED")
		return new Exit(
			"notRunning",
			`The node is not running (nobody answers at ${socket}).\nStart it with: fediversity serve --config FILE`,
		);
	if (error.code === "EACCES" || error.code === "EPERM")
		return new Exit("failure", `You may not use ${socket}; run this as the user the node runs as, or as root`);
	return error;
}
