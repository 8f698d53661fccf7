import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Exit } from "../commands/terminal.ts";
import { openLog, rotateLog, tailOf } from "../engines/local/log-file.ts";
import { marker } from "../engines/local/unit.ts";

export interface NodeProcessOptions {
	/** Its provider's name, for messages. */
	readonly name: string;
	/** The program and its arguments; it sends `{ ready: { port } }` over its channel. */
	readonly command: readonly [string, ...string[]];
	/** By which it is known again after we were killed. */
	readonly unit: string;
	readonly environment: NodeJS.ProcessEnv;
	readonly logFile: string;
	/** Says to the person in front what happens to it. */
	readonly tell: (message: string) => void;
	/** Of the first restart, ms; each further one waits twice as long, up to a minute. */
	readonly firstPause?: number;
	/** How long it may take to get ready and to stop, ms. */
	readonly readyWithin?: number;
	readonly stopWithin?: number;
}

const longestPause = 60_000;
/** A node that ran for so long, ms, has earned a quick restart again. */
const settled = 10_000;
const logLimits = { bytes: 5 * 1024 * 1024, files: 2 };

/** One node of the demo as a process of its own: started again when it dies, until it is told to stop. */
export class NodeProcess {
	readonly #options: NodeProcessOptions;
	#child: ChildProcess | undefined;
	#port: number | undefined;
	#isWanted = false;
	#pause: number;
	#restart: NodeJS.Timeout | undefined;

	constructor(options: NodeProcessOptions) {
		this.#options = options;
		this.#pause = options.firstPause ?? 1000;
	}

	/** Where it listens; undefined while it is not ready. */
	get port(): number | undefined {
		return this.#port;
	}

	/** Starts it. Resolves when it is ready; rejects with the end of its log when it dies before that. */
	start(): Promise<void> {
		this.#isWanted = true;
		const { readyWithin = 120_000 } = this.#options;
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const late = setTimeout(() => this.#child?.kill("SIGKILL"), readyWithin);
		const onReady = () => {
			clearTimeout(late);
			resolve();
		};
		this.#spawn(onReady, (why) => {
			clearTimeout(late);
			this.#isWanted = false;
			const end = tailOf(this.#options.logFile, 2000).join("\n");
			reject(new Exit("failure", `${this.#options.name} could not be started (${why}). The end of its log:\n${end}`));
		});
		return promise;
	}

	/** Asks it to stop, and its services with it; ends it if that takes too long. Resolves when it is gone. */
	async stop(): Promise<void> {
		this.#isWanted = false;
		clearTimeout(this.#restart);
		const child = this.#child;
		if (!child) return;
		const { name, tell, stopWithin = 60_000 } = this.#options;
		const gone = new Promise((resolve) => child.once("exit", resolve));
		child.kill("SIGTERM");
		const timer = setTimeout(() => {
			tell(`${name} does not stop; ending it. The next start finds its services.`);
			child.kill("SIGKILL");
		}, stopWithin);
		await gone;
		clearTimeout(timer);
	}

	/** Ends it on the spot; its services are found again at the next start. */
	kill(): void {
		this.#isWanted = false;
		clearTimeout(this.#restart);
		this.#child?.kill("SIGKILL");
	}

	#spawn(onReady: () => void, onEarlyEnd: (why: string) => void): void {
		const { command, unit, environment, logFile } = this.#options;
		rotateLog(logFile, logLimits);
		const log = openLog(logFile);
		const [program, ...args] = command;
		const child = spawn(program, args, {
			stdio: ["ignore", log, log, "ipc"],
			env: { ...environment, [marker]: unit },
			// A group of its own: Ctrl-C goes to the supervisor alone, which stops everything in order.
			detached: true,
		});
		closeSync(log);
		const started = performance.now();
		this.#child = child;
		child.on("message", (message) => {
			this.#port = (message as { ready?: { port: number } }).ready?.port ?? this.#port;
			onReady();
		});
		child.on("error", (error) => {
			if (child.pid !== undefined) return;
			this.#child = undefined;
			onEarlyEnd(error.message);
		});
		child.on("exit", (code, signal) => {
			const wasReady = this.#port !== undefined;
			this.#child = this.#port = undefined;
			if (!wasReady) onEarlyEnd(reason(code, signal));
			if (this.#isWanted) this.#again(reason(code, signal), performance.now() - started);
		});
	}

	#again(why: string, lived: number): void {
		const { name, tell, logFile, firstPause = 1000 } = this.#options;
		if (lived > settled) this.#pause = firstPause;
		const pause = this.#pause;
		this.#pause = Math.min(pause * 2, longestPause);
		tell(`${name} ended unexpectedly (${why}); it is started again in ${pause / 1000} s. Its log: ${logFile}`);
		this.#restart = setTimeout(() => {
			this.#spawn(
				() => tell(`${name} is back.`),
				() => {},
			);
		}, pause);
	}
}

function reason(code: number | null, signal: string | null): string {
	return signal ?? `exit code ${code}`;
}
