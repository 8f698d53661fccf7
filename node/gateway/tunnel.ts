import {
	request as ask,
	type ClientRequest,
	type IncomingMessage,
	type RequestOptions,
	ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Way } from "./courier.ts";
import type { Failure } from "./exchange.ts";
import type { Head } from "./head.ts";
import { endToEnd } from "./hop-by-hop.ts";
import type { Limits } from "./limits.ts";

/** A WebSocket handshake (RFC 6455, 4) and the service or node it is meant for. */
export interface Knock {
	readonly way: Way;
	readonly head: Head;
	readonly request: IncomingMessage;
	readonly socket: Socket;
	/** What the client sent right behind its handshake. */
	readonly early: Buffer;
	readonly limits: Limits;
	/** Answers through the response it is handed, since the service gives no answer. */
	readonly failed: (failure: Failure, response: ServerResponse) => void;
	/** There is an answer, whatever it is. */
	readonly answered?: () => void;
}

/**
 * Passes a handshake on and, once the service has said 101, joins the two connections. Not before: a service that
 * says otherwise would be open to requests that the gateway never sees. Ends when either side does.
 */
export function openTunnel(knock: Knock): void {
	const { head, socket, early, limits } = knock;
	const upstream = askAt(knock.way, {
		path: head.path,
		headers: [...head.headers, "Connection", "Upgrade", "Upgrade", "websocket"],
		agent: false,
		maxHeaderSize: limits.answerHead,
		timeout: limits.connect,
	});
	const hangUp = () => upstream.destroy();
	socket.once("close", hangUp).on("error", hangUp);
	upstream.once("socket", (other) => other.once("connect", () => upstream.setTimeout(limits.firstByte)));
	upstream.on("timeout", () => upstream.destroy(Object.assign(new Error("No answer"), { code: "ETIMEDOUT" })));
	upstream.on("error", (error: NodeJS.ErrnoException) => {
		if (!socket.destroyed) knock.failed(error.code === "ETIMEDOUT" ? "slow" : "gone", responseOn(knock));
	});
	upstream.on("response", (answer) => refuse(knock, answer));
	upstream.on("upgrade", (answer, other, late) => {
		knock.answered?.();
		socket.off("close", hangUp);
		socket.write(switching(answer), "latin1");
		socket.write(late);
		other.write(early);
		join(socket, other as Socket, limits.idle);
		join(other as Socket, socket, limits.idle);
	});
	upstream.end();
}

/** By TLS the other side must prove the name that was asked for. */
function askAt({ origin, away }: Way, options: RequestOptions): ClientRequest {
	const { protocol, hostname, port } = new URL(origin);
	const lookup = away?.lookup;
	const at = { ...options, ...(lookup && { lookup }), host: hostname.replace(/^\[|\]$/g, ""), port: port || undefined };
	if (protocol === "http:") return ask(at);
	// Not loaded with the node, which itself speaks plain HTTP.
	const secure = process.getBuiltinModule("node:https");
	return secure.request({ ...at, ...(away && { servername: away.host }) });
}

function switching(answer: IncomingMessage): string {
	const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"];
	const headers = endToEnd(answer.headers);
	for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
	return `${lines.join("\r\n")}\r\n\r\n`;
}

/** One direction. What was sent before the end still arrives; only then the other side is closed. */
function join(from: Socket, to: Socket, idle: number): void {
	from.setNoDelay(true);
	from.setKeepAlive(true, 60_000);
	from.setTimeout(idle, () => from.destroy());
	from.on("error", () => from.destroy());
	from.once("close", () => to.destroySoon());
	from.pipe(to);
}

/** The service wants no WebSocket here: its answer, such as 401, goes to the client, and that is the end. */
function refuse(knock: Knock, answer: IncomingMessage): void {
	const response = responseOn(knock);
	knock.answered?.();
	response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
	answer.pipe(response);
	answer.on("error", () => response.destroy());
	response.once("close", () => answer.destroy());
}

/** An ordinary answer on a connection that node:http has already let go of; the connection ends with it. */
function responseOn({ request, socket, limits }: Knock): ServerResponse {
	const response = new ServerResponse(request);
	response.shouldKeepAlive = false;
	response.assignSocket(socket);
	socket.resume();
	response.once("finish", () => {
		socket.end();
		socket.setTimeout(limits.linger, () => socket.destroy());
	});
	return response;
}
