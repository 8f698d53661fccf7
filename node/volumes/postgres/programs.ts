import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { connectionOptions, type PostgresPlace } from "./connection.ts";

export class ProgramFailed extends Error {
	override readonly name = "ProgramFailed";
}

export interface ProgramRun {
	readonly place: PostgresPlace;
	readonly database?: string;
	readonly settings?: Readonly<Record<string, string>>;
	/** A folder for the file with the password. */
	readonly scratch: string;
	readonly signal: AbortSignal;
	readonly input?: Readable;
	/** The same a buffer at a time, which may be used again when the next one is asked for. */
	readonly feed?: AsyncIterable<Uint8Array>;
	readonly output?: Writable;
}

/**
 * Runs pg_dump or pg_restore against a place; throws `ProgramFailed` with what it said last. The password is in a file that
 * only this user can read and that is gone afterwards: arguments are seen by everybody on the machine, and an
 * environment is passed on to whatever the program starts.
 */
export async function runProgram(program: string, args: readonly string[], run: ProgramRun): Promise<void> {
	const folder = await mkdtemp(join(run.scratch, "login-"));
	try {
		const file = join(folder, "password");
		await writeFile(file, `*:*:*:*:${escaped(run.place.password ?? "")}\n`, { mode: 0o600 });
		const path = run.place.programs ? join(run.place.programs, program) : program;
		await ended(path, ["--no-password", ...args, `--dbname=${connection(run, file)}`], run);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function ended(path: string, args: readonly string[], run: ProgramRun): Promise<void> {
	const child = spawn(path, args, {
		stdio: [run.input || run.feed ? "pipe" : "ignore", run.output ? "pipe" : "ignore", "pipe"],
		signal: run.signal,
		killSignal: "SIGKILL",
	});
	let said = "";
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		said = (said + text).slice(-4000);
	});
	if (run.input && child.stdin) run.input.on("error", () => child.kill()).pipe(child.stdin.on("error", () => {}));
	if (run.feed && child.stdin) void feed(child, child.stdin, run.feed);
	if (run.output) child.stdout?.pipe(run.output);
	const [code, signal] = (await once(child, "close")) as [number | null, string | null];
	run.signal.throwIfAborted();
	if (code !== 0) throw new ProgramFailed(said.trim() || `${path} ended with ${code ?? signal}`);
}

/** Until there is no more, or it wants no more. */
async function feed(child: ChildProcess, stdin: Writable, buffers: AsyncIterable<Uint8Array>): Promise<void> {
	stdin.on("error", () => {});
	try {
		for await (const bytes of buffers) if (await new Promise((resolve) => stdin.write(bytes, resolve))) return;
		stdin.end();
	} catch {
		child.kill();
	}
}

const connection = ({ place, database, settings }: ProgramRun, passfile: string) =>
	Object.entries({
		host: place.host,
		port: String(place.port),
		dbname: database ?? place.database,
		user: place.user,
		passfile,
		application_name: "fediversity",
		client_encoding: "UTF8",
		options: connectionOptions(settings),
	})
		.map(([key, value]) => `${key}='${value.replaceAll(/[\\']/g, "\\$&")}'`)
		.join(" ");

const escaped = (password: string) => password.replaceAll(/[\\:]/g, "\\$&");
