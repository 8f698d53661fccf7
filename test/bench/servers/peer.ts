/** Programs that a bench measures: started, watched and ended. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";

/** Where code lies as V8 has it, as for every node: what is compiled again takes time and memory that no node needs. */
const compiled = join(import.meta.dirname, "../../../.cache/node");

export interface Peer {
	readonly port: number;
	readonly pid: number;
	/** Processor time it has used so far, in seconds. */
	cpu(): number;
	/** Memory it holds, in MB. */
	memory(): number;
	/** The most it has held so far. */
	peak(): number;
	stop(): Promise<void>;
}

/** A node lets its new objects have no more room than this, and the C library two arenas (node/main.ts, node/boot.mjs). */
export const asNode = "--semi-space-growth-factor=1";

/** Starts a program that will listen on `port`, and waits until it does. `input` is its standard input. */
export async function startPeer(command: string, args: string[], port: number, input = ""): Promise<Peer> {
	const child = spawn(command, args, {
		env: { ...process.env, MALLOC_ARENA_MAX: "2", NODE_COMPILE_CACHE: compiled },
		stdio: ["pipe", "ignore", "inherit"],
	});
	const failed = once(child, "error").then(([error]) => Promise.reject(error));
	child.stdin.end(input);
	await Promise.race([failed, untilListening(child, port)]);
	return {
		port,
		pid: child.pid ?? 0,
		cpu: () => ticks(child.pid) / Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" })),
		memory: () => status(child.pid, "VmRSS") / 1000,
		peak: () => status(child.pid, "VmHWM") / 1000,
		stop: async () => {
			const ended = once(child, "exit");
			if (child.kill()) await ended;
		},
	};
}

/** User and system time of a process in clock ticks, proc(5). */
function ticks(pid: number | undefined): number {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	return Number(fields[11]) + Number(fields[12]);
}

/** Processor seconds of a process and of all that it has started, also those that have ended (Linux, 100 ticks a second). */
export function cpuWithChildren(pid: number): number {
	try {
		const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
			.replace(/^.*\) /, "")
			.split(" ");
		const own = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
		return children.reduce((sum, child) => sum + cpuWithChildren(Number(child)), own);
	} catch {
		// It has ended while we looked, and its parent counts it now.
		return 0;
	}
}

/** A size in kB from proc(5)'s status. */
function status(pid: number | undefined, name: string): number {
	return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
	while (!(await isListening(port))) {
		if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(" ")} ended with ${child.exitCode}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

export function isListening(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
		socket.once("connect", () => socket.destroy());
	});
}

/** A loopback port that nobody uses right now. */
export async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	return port;
}
