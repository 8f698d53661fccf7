import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

export interface Run {
	readonly command: readonly string[];
	/** What it is called in errors. */
	readonly name: string;
	readonly folder: string;
	readonly env: Readonly<Record<string, string>>;
	readonly input?: string | undefined;
	readonly signal: AbortSignal;
	/** Told of each line of both outputs as it comes. */
	line?(line: string): void;
	/** An open file for both outputs: nothing of them is told then, or answered. */
	readonly outputs?: number;
}

/** Ended with something else than success. The message holds nothing of its output unless it was told line by line. */
export class RunFailed extends Error {
	override readonly name = "RunFailed";
	readonly code: number | null;
	constructor(program: string, code: number | null, how: string, lastLine: string | undefined) {
		super(`${program} ended with ${how}${lastLine ? `: ${lastLine.replaceAll(/\w+:\/\/\S+/g, "…")}` : ""}`);
		this.code = code;
	}
}

/** What a program has left behind may hold its outputs open; after so many ms that is waited for no more. */
const leftOver = 5000;
/** More output than this is a mistake of ours, not something to keep in memory. */
const longestOutput = 4 * 2 ** 20;

/** Runs a program to its end and answers its standard output. Aborting ends it with all it started, then throws why. */
export async function runToEnd({ command, name, folder, env, input, signal, line, outputs }: Run): Promise<string> {
	signal.throwIfAborted();
	const [program = "", ...args] = command;
	const child = spawn(program, args, {
		cwd: folder,
		env,
		detached: true,
		stdio: ["pipe", outputs ?? "pipe", outputs ?? "pipe"],
	});
	const ended = new Promise<{ code: number | null; by: string | null }>((done, failed) => {
		child.once("error", failed);
		child.once("close", (code, by) => done({ code, by }));
		child.once("exit", () => void wait(leftOver, undefined, { ref: false }).then(() => deafen(child)));
	});
	const abort = () => void endGroup(child.pid);
	signal.addEventListener("abort", abort, { once: true });
	try {
		// It may end without reading what it is given.
		child.stdin?.on("error", () => {});
		child.stdin?.end(input ?? "");
		const output: Buffer[] = [];
		let length = 0;
		child.stdout?.on("data", (bytes: Buffer) => {
			length += bytes.length;
			if (length <= longestOutput) output.push(bytes);
		});
		let last: string | undefined;
		for (const stream of [child.stdout, child.stderr])
			if (stream && line)
				createInterface({ input: stream }).on("line", (text) => {
					if (text.trim() !== "") last = text;
					line(text);
				});
			else stream?.resume();
		const { code, by } = await ended;
		signal.throwIfAborted();
		if (code !== 0) throw new RunFailed(name, code, by ?? `exit code ${code}`, last);
		return Buffer.concat(output).toString("utf8");
	} finally {
		signal.removeEventListener("abort", abort);
	}
}

function deafen({ stdout, stderr }: ChildProcess): void {
	stdout?.destroy();
	stderr?.destroy();
}

/** The program and all it started: asked, then killed. Its number is ours until it has been reaped. */
async function endGroup(group: number | undefined) {
	if (group === undefined) return;
	for (const signal of ["SIGTERM", "SIGKILL"] as const) {
		try {
			process.kill(-group, signal);
		} catch {
			return;
		}
		await wait(2000);
	}
}
