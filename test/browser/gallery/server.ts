import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type OperationName, operations } from "#protocol/api/operations.ts";
import { Problem } from "#protocol/problem.ts";
import { pagePolicy } from "../../../node/web/security-headers.ts";
import { type Asked, never, type World } from "./answers.ts";

const types: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".woff2": "font/woff2",
};

export interface Gallery {
	port: number;
	/** The origin under which a world is found; every world has its own, and so its own storage. */
	originOf(world: string): string;
	close(): Promise<void>;
}

/** Serves the built panel on loopback, once for every world: `http://<world>.localhost:<port>`. */
export async function openGallery(folder: string, worlds: Readonly<Record<string, World>>, port = 0): Promise<Gallery> {
	const server = createServer((request, response) => {
		const name = (request.headers.host ?? "").split(".localhost")[0] ?? "";
		const world = worlds[name];
		const url = new URL(request.url ?? "/", "http://gallery");
		if (!world) index(response, worlds, request.headers.host ?? "");
		else if (url.pathname.startsWith("/api/v1/")) void answer(world, url, request, response);
		else file(folder, url.pathname, response);
	});
	await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
	const at = (server.address() as AddressInfo).port;
	return { port: at, originOf: (world) => `http://${world}.localhost:${at}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
	server.closeAllConnections();
	return new Promise((resolve) => server.close(() => resolve()));
}

/** Every path that is no file is a page, and every page is the same one. */
function file(folder: string, path: string, response: ServerResponse): void {
	const wanted = join(folder, normalize(path));
	const found = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(folder, "index.html");
	response.writeHead(200, {
		"content-type": types[extname(found)] ?? "application/octet-stream",
		"content-security-policy": pagePolicy(null),
	});
	createReadStream(found).pipe(response);
}

async function answer(world: World, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
	if (world.dead) return void request.socket.destroy();
	const found = operationFor(request.method ?? "GET", url.pathname.slice("/api/v1".length));
	if (!found) return json(response, 404, new Problem("not-found"));
	const stream = world.streams?.[found.name];
	if ("stream" in operations[found.name]) return follow(stream, request, response);
	const asked: Asked = {
		path: found.path,
		query: url.searchParams,
		body: await bodyOf(request),
		headers: request.headers,
	};
	const known = world.answers[found.name];
	const reply = typeof known === "function" ? known(asked) : known;
	if (reply === never) return;
	if (reply instanceof Problem) return json(response, reply.status, reply);
	const [status, schema] = operations[found.name].answer;
	if (schema && reply === undefined) return json(response, 404, new Problem("not-found"));
	if (schema) json(response, status, reply);
	else response.writeHead(status).end();
}

async function follow(
	script: NonNullable<World["streams"]>[OperationName] | undefined,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
	response.write(":\n\n");
	const gone = new Promise<void>((resolve) => response.on("close", resolve));
	const send = (seq: number, event: string, data: unknown) =>
		response.write(`id: ${seq}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
	await (script ?? (({ gone }) => gone))({ after: Number(request.headers["last-event-id"] ?? 0), send, gone });
	response.end();
}

function operationFor(method: string, path: string): { name: OperationName; path: Record<string, string> } | undefined {
	for (const name of Object.keys(operations) as OperationName[]) {
		const [verb, template = ""] = name.split(" ");
		const pattern = new RegExp(`^${template.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
		const found = verb === method && pattern.exec(path);
		if (!found) continue;
		const groups = Object.entries(found.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]);
		return { name, path: Object.fromEntries(groups) };
	}
	return undefined;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
	const text = Buffer.concat(await request.toArray()).toString();
	return text ? JSON.parse(text) : undefined;
}

function json(response: ServerResponse, status: number, body: unknown): void {
	const problem = body instanceof Problem;
	response.writeHead(status, { "content-type": problem ? "application/problem+json" : "application/json" });
	response.end(JSON.stringify(body));
}

/** All worlds as links, to leaf through by hand. */
function index(response: ServerResponse, worlds: Readonly<Record<string, World>>, host: string): void {
	const port = host.split(":")[1];
	const links = Object.keys(worlds).map(
		(name) => `<li><a href="http://${name}.localhost:${port}/home">${name}</a></li>`,
	);
	response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
	response.end(`<!doctype html><title>Gallery</title><ul>${links.join("")}</ul>`);
}
