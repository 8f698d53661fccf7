import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { Problem } from "#protocol/problem.ts";
import type { Ran, Running, RunOptions } from "./host.ts";

const mostOutput = 4 * 1024 * 1024;
const mostErrors = 16 * 1024;
/** How long a program that was told to end may take, in milliseconds. */
const grace = 2000;

/** Starts a child process, by its file and its words. Rejects when there is no such program. */
export async function started(file: string, words: readonly string[], signal?: AbortSignal): Promise<Running> {
	signal?.throwIfAborted();
	const child = spawn(file, words, { stdio: ["pipe", "pipe", "pipe"] });
	await new Promise<void>((resolve, reject) => {
		child.once("spawn", resolve);
		child.once("error", reject);
	});
	return running(child, signal);
}

function running(child: ChildProcess, signal: AbortSignal | undefined): Running {
	const [input, output] = [child.stdin as Writable, child.stdout as Readable];
	const errors = lastOf(child.stderr as Readable);
	const kill = () => end(child);
	const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
	signal?.addEventListener("abort", kill, { once: true });
	ended.then(() => signal?.removeEventListener("abort", kill));
	// A program that ends without reading what it is told says more by its exit code.
	input.on("error", () => {});
	if (signal?.aborted) kill();
	return { input, output, errors, ended, kill };
}

/** Asks it to end, and ends it when it does not. */
function end(child: ChildProcess): void {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill("SIGTERM");
	const last = setTimeout(() => child.kill("SIGKILL"), grace);
	child.once("close", () => clearTimeout(last));
}

function lastOf(stream: Readable): () => string {
	let said = "";
	stream.setEncoding("utf8").on("data", (text: string) => {
		said = (said + text).slice(-mostErrors);
	});
	return () => said;
}

/** Gives a program its input, waits for its end and keeps what it says. */
export async function toEnd(program: Running, { input, signal, deadline }: RunOptions): Promise<Ran> {
	let isLate = false;
	const late = setTimeout(
		() => {
			isLate = true;
			program.kill();
		},
		(deadline ?? 300) * 1000,
	);
	try {
		program.input.end(input);
		const parts: Buffer[] = [];
		let length = 0;
		program.output.on("data", (part: Buffer) => {
			length += part.length;
			if (length <= mostOutput) parts.push(part);
			else program.kill();
		});
		const code = await program.ended;
		signal?.throwIfAborted();
		if (isLate) throw new Problem("took-too-long", { seconds: deadline ?? 300 });
		if (length > mostOutput) throw new Error("The program said more than there is room for");
		return { code: code ?? -1, output: Buffer.concat(parts).toString(), errors: program.errors() };
	} finally {
		clearTimeout(late);
	}
}
