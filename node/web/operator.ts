import { randomUUID } from "node:crypto";
import { lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type ListenOptions } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { Problem } from "#protocol/problem.ts";
import type { Config } from "../config.ts";
import { type ApiParts, bindApi, nothingHere } from "./api.ts";
import { answerError } from "./errors.ts";
import type { WebEnv } from "./implement.ts";
import type { Metrics } from "./metrics.ts";

export interface OperatorParts extends Pick<ApiParts, "routes" | "idempotency" | "checkAnswers"> {
	readonly config: Config["operator"];
	readonly metrics: Metrics;
}

/**
 * The door of provider staff: a Unix socket that only the node's own user can use, with the staff's API, `/metrics` and
 * `/healthz`; and if so configured `/metrics` alone on an address for Prometheus. The socket of a node that was killed is
 * taken over; while another node answers on it, this throws.
 */
export async function openOperatorDoor(parts: OperatorParts): Promise<{ close(): Promise<void> }> {
	const { socket, metrics: address } = parts.config;
	await checkFree(socket);
	const staff = await listening(openOperatorApp(parts), { path: socket });
	const servers = [staff];
	try {
		if (address) servers.push(await listening(metricsApp(parts.metrics), address));
	} catch (error) {
		await closed(staff);
		throw error;
	}
	return {
		async close() {
			await Promise.all(servers.map(closed));
		},
	};
}

/** What staff can ask there. */
export function openOperatorApp(parts: Omit<OperatorParts, "config">): Hono<WebEnv> {
	const app = metricsApp(parts.metrics);
	const headers = { "cache-control": "no-store" };
	bindApi(app, { ...parts, headers, audiences: new Set(["staff", "operator", "everybody"]), admit: () => null });
	app.get("/healthz", (c) => c.text("ok\n"));
	app.notFound((c) => nothingHere(app, c, headers));
	app.onError((error) => answerError(error, randomUUID(), headers));
	return app;
}

function metricsApp(metrics: Metrics): Hono<WebEnv> {
	const app = new Hono<WebEnv>();
	const type = "text/plain; version=0.0.4; charset=utf-8";
	app.get("/metrics", async () => new Response(await metrics.text(), { headers: { "content-type": type } }));
	return app;
}

async function listening(app: Hono<WebEnv>, where: ListenOptions): Promise<Server> {
	const server = createServer(getRequestListener(app.fetch, { hostname: "node" }));
	await new Promise<void>((resolve, reject) => {
		server.once("error", (error: NodeJS.ErrnoException) => reject(explained(error, where)));
		// `listen` makes the socket before it returns: 0600 from its first moment.
		const before = process.umask(0o177);
		server.listen(where, () => resolve());
		process.umask(before);
	});
	return server;
}

function explained(error: NodeJS.ErrnoException, { path, port }: ListenOptions): Error {
	if (error.code === "EADDRINUSE" && port) return new Problem("port-taken", { port }, { cause: error });
	if (path) return new Error(`The operators' socket ${path} cannot be opened: ${error.message}`, { cause: error });
	return error;
}

/** Removes the socket a killed node left; throws when somebody answers on it, or it is no socket. */
async function checkFree(path: string): Promise<void> {
	const there = lstatSync(path, { throwIfNoEntry: false });
	if (!there) return;
	if (!there.isSocket()) throw new Error(`${path} is not a socket; choose another operator.socket or move it away`);
	const answered = await new Promise<boolean>((resolve) => {
		const probe = connect(path, () => {
			probe.destroy();
			resolve(true);
		});
		probe.on("error", () => resolve(false));
	});
	if (answered) throw new Error(`Another node is running: it answers on ${path}. Stop it first`);
	unlinkSync(path);
}

async function closed(server: Server): Promise<void> {
	await new Promise<void>((resolve) => {
		server.close(() => resolve());
		server.closeAllConnections();
	});
}
