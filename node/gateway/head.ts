import type { IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { domainToASCII } from "node:url";
import { hopByHop, withoutNamed } from "./hop-by-hop.ts";

/** What a request asks for, read once from its head. Header lists are flat: name, value, name, value. */
export interface Head {
	/** As `Find` wants it. */
	readonly host: string;
	/** In origin form, `/path?query`, whatever form the client used (RFC 9112, 3.2). */
	readonly path: string;
	readonly hasBody: boolean;
	/** The announced size of the body; undefined when it comes in chunks. */
	readonly size: number | undefined;
	/** Whether the upgrade that node:http has seen is one to WebSocket (RFC 6455). Others, such as h2c, are not offered. */
	readonly webSocket: boolean;
	/** What goes on to the service: the end-to-end headers, and our own word on who the client is. */
	readonly headers: string[];
	/** The client's address, and the scheme it came by, as in that word of ours. */
	readonly client: string;
	readonly proto: string;
	/** What was only meant for this connection. */
	readonly hopByHop: string[];
}

/** Parts of the head that decide something, as they were found. */
interface Findings {
	hosts: number;
	authority: string;
	length: string | undefined;
	coding: string | undefined;
	connection: string;
	upgrade: string;
	forwardedFor: string;
	forwardedProto: string;
	headers: string[];
	hopByHop: string[];
}

/**
 * Reads a head, or gives undefined for one that two servers could understand differently (RFC 9112, 3.2 and 6).
 * `trustProxy` believes the last X-Forwarded-For and -Proto, those that the proxy in front of us has added.
 */
export function readHead(request: IncomingMessage, trustProxy: boolean): Head | undefined {
	const found = sort(request.rawHeaders);
	const target = readTarget(request.url ?? "", found.authority);
	if (!target || found.hosts > 1 || !isFramed(found, request.httpVersion)) return undefined;
	if (found.connection !== "") found.headers = withoutNamed(found.headers, found.connection);
	found.headers[1] = target.authority;
	const { client, proto } = clientOf(found, request.socket, trustProxy);
	// Exactly one address goes on, whose ever it is: services believe the first, the last or the nearest one that is not
	// private, and with one there is no choice. `Forwarded` (RFC 7239) is dropped, because Rails would prefer it.
	found.headers.push("X-Forwarded-For", client, "X-Forwarded-Proto", proto, "X-Forwarded-Host", target.authority);
	return {
		host: target.host,
		path: target.path,
		hasBody: found.coding !== undefined || Number(found.length ?? 0) > 0,
		size: found.coding === undefined ? Number(found.length ?? 0) : undefined,
		webSocket: request.method === "GET" && /^websocket$/i.test(found.upgrade),
		headers: found.headers,
		...{ client, proto },
		hopByHop: found.hopByHop,
	};
}

/** One pass over the head: what goes on, what stays here, and what nobody may claim who is not us. */
function sort(raw: readonly string[]): Findings {
	const found: Findings = {
		hosts: 0,
		authority: "",
		length: undefined,
		coding: undefined,
		connection: "",
		upgrade: "",
		forwardedFor: "",
		forwardedProto: "",
		headers: ["Host", ""],
		hopByHop: [],
	};
	for (let at = 0; at < raw.length; at += 2) {
		const name = raw[at] as string;
		const value = raw[at + 1] as string;
		const kind = name.toLowerCase();
		switch (kind) {
			case "host":
				found.hosts++;
				found.authority = value;
				break;
			case "content-length":
				found.length = value;
				found.headers.push(name, value);
				break;
			case "x-forwarded-for":
				found.forwardedFor = value;
				break;
			case "x-forwarded-proto":
				found.forwardedProto = value;
				break;
			case "transfer-encoding":
				found.coding = found.coding === undefined ? value : `${found.coding},${value}`;
				found.hopByHop.push(name, value);
				break;
			case "connection":
				found.connection = found.connection === "" ? value : `${found.connection},${value}`;
				found.hopByHop.push(name, value);
				break;
			case "upgrade":
				found.upgrade = value;
				found.hopByHop.push(name, value);
				break;
			default:
				if (hopByHop.has(kind)) found.hopByHop.push(name, value);
				else if (!isClaim(kind)) found.headers.push(name, value);
		}
	}
	return found;
}

/** Headers in which services look for the client's address or scheme; `Proxy` becomes HTTP_PROXY in CGI (httpoxy). */
const claims = new Set([
	"client-ip",
	"forwarded",
	"front-end-https",
	"proxy",
	"true-client-ip",
	"x-client-ip",
	"x-cluster-client-ip",
	"x-real-ip",
	"x-scheme",
	"x-url-scheme",
]);

/** CGI and its heirs cannot tell X_Forwarded_For from X-Forwarded-For; nginx and Apache drop underscores too. */
export function isClaim(name: string): boolean {
	return claims.has(name) || name.startsWith("x-forwarded-") || name.includes("_");
}

/** chunked is the one coding we undo; HTTP/1.0 knows none, so there it is a trick. */
function isFramed(found: Findings, version: string): boolean {
	return found.coding === undefined || (version === "1.1" && found.coding.trim().toLowerCase() === "chunked");
}

const absolute = /^https?:\/\/([^/?#]*)(\/[^#]*|\?[^#]*)?/i;

/** The host in the request line wins over the Host header (RFC 9112, 3.2.2). */
function readTarget(url: string, hostHeader: string): { host: string; authority: string; path: string } | undefined {
	if (url.startsWith("/")) return withHost(hostHeader, url);
	const found = absolute.exec(url);
	if (!found?.[1]) return undefined;
	const path = found[2] ?? "/";
	return withHost(found[1], path.startsWith("?") ? `/${path}` : path);
}

const nameAndPort = /^(\[[\da-f:.]+\]|[\w.-]*)(:\d{0,5})?$/;

function withHost(written: string, path: string): { host: string; authority: string; path: string } | undefined {
	const authority = isAscii(written) ? written : asciiAuthority(written);
	const [, name, port] = nameAndPort.exec(authority.toLowerCase()) ?? [];
	if (name === undefined || name.length > 254 || (name === "" && port)) return undefined;
	return { host: name.endsWith(".") ? name.slice(0, -1) : name, authority, path };
}

function isAscii(text: string): boolean {
	for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7e) return false;
	return true;
}

/** A name in raw UTF-8, which node:http hands over as Latin-1, becomes what DNS and our tables know. */
function asciiAuthority(written: string): string {
	const [, name = "", port = ""] = /^(.*?)(:\d+)?$/.exec(Buffer.from(written, "latin1").toString("utf8")) ?? [];
	return `${domainToASCII(name) || "/"}${port}`;
}

function clientOf(found: Findings, socket: Socket, trustProxy: boolean): { client: string; proto: string } {
	const claimed = trustProxy ? last(found.forwardedFor) : "";
	const proto = trustProxy ? last(found.forwardedProto).toLowerCase() : "";
	const own = (socket as TLSSocket).encrypted ? "https" : "http";
	return {
		client: isIP(claimed) ? claimed : addressOf(socket),
		proto: proto === "https" || proto === "http" ? proto : own,
	};
}

function last(list: string): string {
	return list.slice(list.lastIndexOf(",") + 1).trim();
}

/** The peer's address; IPv4 in its own form also where the listener is for both. */
export function addressOf(socket: Socket): string {
	const address = socket.remoteAddress ?? "";
	return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** Makes a request look as a service would see it, for a handler in this process. The connection's own headers stay. */
export function rewrite(request: IncomingMessage, head: Head): void {
	request.url = head.path;
	request.rawHeaders = [...head.headers, ...head.hopByHop];
	// Left to itself node:http reads only as many as came, and would leave out what was added.
	request.headers = joined(request.rawHeaders);
}

/** Of these only the first counts, as node:http has it; they come once in any request that makes sense. */
const single = new Set([
	...["authorization", "content-length", "content-type", "from", "host", "if-modified-since", "if-unmodified-since"],
	...["max-forwards", "proxy-authorization", "referer", "user-agent"],
]);

function joined(raw: readonly string[]): IncomingMessage["headers"] {
	// Without a prototype: names are the client's.
	const headers: Record<string, string> = Object.create(null);
	for (let at = 0; at < raw.length; at += 2) {
		const name = (raw[at] as string).toLowerCase();
		const value = raw[at + 1] as string;
		const known = headers[name];
		if (known === undefined) headers[name] = value;
		else if (!single.has(name)) headers[name] = known + (name === "cookie" ? "; " : ", ") + value;
	}
	return headers;
}
