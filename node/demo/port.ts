import { connect } from "node:net";
import { Exit } from "../commands/terminal.ts";
import type { DemoState } from "./state.ts";

export const usualPort = 8080;
const tries = 100;

/** Opens the front door on a port; rejects with EADDRINUSE if somebody else has it. */
type Open = (port: number) => Promise<unknown>;

/**
 * Opens the front door on the port this demo had before; at its first start on the wanted one or the next that is free.
 * Whoever has the port has the demo: a second start of the same one finds it taken, and says where it runs.
 */
export async function openPort(state: DemoState, wanted: number | undefined, open: Open): Promise<number> {
	const before = state.remembered?.port;
	if (before === undefined) return firstPort(state, wanted ?? usualPort, open);
	if (wanted !== undefined && wanted !== before)
		throw new Exit(
			"usage",
			`This demo's addresses have port ${before} in them. Start it without --port and PORT, or begin anew with --fresh.`,
		);
	if (await isOpened(before, open)) return before;
	if (await isRunningAt(before, state)) throw runningAlready(before);
	throw new Exit(
		"failure",
		`Port ${before}, which this demo's addresses have in them, is in use by another program.\nStop that program (ss -ltnp 'sport = :${before}' names it), or begin anew with --fresh.`,
	);
}

async function firstPort(state: DemoState, wanted: number, open: Open): Promise<number> {
	for (let port = wanted; port < Math.min(wanted + tries, 65536); port++) {
		if (await isOpened(port, open)) return port;
		if (await isRunningAt(port, state)) throw runningAlready(port);
	}
	throw new Exit("failure", `No port from ${wanted} on is free; name one with --port`);
}

function runningAlready(port: number): Exit {
	return new Exit(
		"failure",
		`This demo is running already: http://localhost:${port}/\nStop it there with Ctrl-C, or begin anew with --fresh.`,
	);
}

async function isOpened(port: number, open: Open): Promise<boolean> {
	// A browser tries this address first: somebody who has only it would get our visitors.
	if (await isAnswered("::1", port)) return false;
	try {
		await open(port);
		return true;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "EADDRINUSE") return false;
		if (code === "EACCES")
			throw new Exit("failure", `Port ${port} needs privileges; choose one above 1023 with --port`);
		throw error;
	}
}

function isAnswered(host: string, port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ host, port });
		socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
		socket.on("close", () => resolve(false)).setTimeout(1000, () => socket.destroy());
		socket.once("connect", () => socket.destroy());
	});
}

/** Whether the front door at this port is one of this very folder. */
export async function isRunningAt(port: number, { id }: Pick<DemoState, "id">): Promise<boolean> {
	try {
		const signal = AbortSignal.timeout(2000);
		const answer = await fetch(`http://127.0.0.1:${port}/demo.json`, { signal, headers: { host: "localhost" } });
		return ((await answer.json()) as { id?: string }).id === id;
	} catch {
		return false;
	}
}
