import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import type { Report } from "../engine.ts";
import type { RunOptions, Workshop } from "./recipe.ts";
import { runToEnd } from "./run.ts";
import { Turns } from "./turns.ts";

/** The workshop of this machine: a search path and a cache folder. */
export class LocalWorkshop implements Workshop {
	readonly cache: string;
	readonly platform = process.platform;
	readonly environment: Readonly<Record<string, string>>;
	readonly #fetching = new Turns();

	/** `environment` is what fetching programs see; it needs PATH, and may hold a proxy and the like. */
	constructor(cache: string, environment: Readonly<Record<string, string>>) {
		this.cache = cache;
		this.environment = environment;
	}

	async which(program: string): Promise<string | undefined> {
		const folders = (this.environment["PATH"] ?? "").split(delimiter).filter(Boolean);
		for (const file of folders.map((folder) => join(folder, program))) if (await isProgram(file)) return file;
		return undefined;
	}

	run(command: readonly [string, ...string[]], report: Report, options: RunOptions = {}): Promise<string> {
		return runToEnd({
			command,
			name: basename(command[0]),
			folder: options.folder ?? this.cache,
			env: { ...this.environment, ...options.env },
			input: options.input,
			signal: report.signal,
			...(!options.quiet && { line: options.line ?? ((line: string) => report.log(line)) }),
		});
	}

	async kept(name: string): Promise<string | undefined> {
		const folder = join(this.cache, name);
		return (await exists(folder)) ? folder : undefined;
	}

	/** One after the other, also for different names: fetching two things at once is slower for whoever came first. */
	keep(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
		return this.#fetching.take("all", async () => (await this.kept(name)) ?? (await this.#filled(name, fill)));
	}

	async #filled(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
		await mkdir(this.cache, { recursive: true, mode: 0o755 });
		await this.#clearLeftovers();
		const scratch = join(this.cache, `.filling-${process.pid}-${randomBytes(4).toString("hex")}`);
		await mkdir(scratch, { mode: 0o755 });
		try {
			await fill(scratch);
			await rename(scratch, join(this.cache, name));
		} catch (error) {
			await rm(scratch, { recursive: true, force: true });
			// Another node that shares the cache was faster.
			if (!(await this.kept(name))) throw error;
		}
		return join(this.cache, name);
	}

	/** Scratch folders of nodes that were killed. */
	async #clearLeftovers() {
		for (const name of await readdir(this.cache)) {
			const owner = Number(/^\.filling-(\d+)-/.exec(name)?.[1]);
			if (owner && owner !== process.pid && !isAlive(owner))
				await rm(join(this.cache, name), { recursive: true, force: true });
		}
	}
}

async function isProgram(file: string): Promise<boolean> {
	try {
		await access(file, constants.X_OK);
		return (await stat(file)).isFile();
	} catch {
		return false;
	}
}

function exists(path: string): Promise<boolean> {
	return access(path).then(
		() => true,
		() => false,
	);
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}
