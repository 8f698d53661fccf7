/** A resource provider as NixOps4 starts one; part of the stand-in. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Found } from "./evaluator.ts";

/** What happens at the so-many-th message of a run, for tests: who is killed, before or after it was passed on. */
export interface Mishap {
	readonly who: "nixops4" | "provider";
	readonly at: number;
}

/** Said on standard error when it comes to it. */
export const mishapHappened = "stand-in: now somebody is killed";

let messages = 0;

export class ProviderProcess {
	readonly #process: ChildProcess;
	readonly #answers: AsyncIterator<string>;
	readonly #mishap: Mishap | undefined;
	readonly #executable: string;
	#notThere = false;

	constructor({ executable, args }: Found["provider"], mishap: Mishap | undefined) {
		this.#mishap = mishap;
		this.#executable = executable;
		this.#process = spawn(executable, args, { stdio: ["pipe", "pipe", "inherit"] });
		this.#process.on("error", () => {
			this.#notThere = true;
		});
		this.#process.stdin?.on("error", () => {});
		if (!this.#process.stdout) throw new Error(`Could not spawn provider process ${executable}`);
		this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
	}

	/** One request, one answer; throws what an errorResponse says. */
	async ask<Answer>(request: string, answer: string, content: object): Promise<Answer> {
		this.#maybe();
		this.#process.stdin?.write(`${JSON.stringify({ [request]: content })}\n`);
		this.#maybe();
		const { value, done } = await this.#answers.next();
		if (done) {
			if (this.#notThere) throw new Error(`Could not spawn provider process ${this.#executable}`);
			const code = await this.#ended();
			throw new Error(
				code === 0 ? "Provider process did not return any output" : `Provider process failed with exit code: ${code}`,
			);
		}
		this.#maybe();
		const [[kind, given] = ["", {}], ...more] = Object.entries(JSON.parse(value) as object);
		if (kind === "errorResponse") throw new Error((given as { message: string }).message);
		if (kind !== answer || more.length > 0)
			throw new Error(`Expected ${answer} from provider but got: ${value.slice(0, 200)}`);
		return given as Answer;
	}

	/** It is told to end by the end of its input, and awaited. */
	async close(): Promise<void> {
		this.#process.stdin?.end();
		await this.#ended();
	}

	async #ended(): Promise<number | null> {
		if (!this.#notThere && this.#process.exitCode === null && this.#process.signalCode === null)
			await new Promise((ended) => this.#process.once("exit", ended));
		return this.#process.exitCode;
	}

	#maybe(): void {
		if (++messages !== this.#mishap?.at) return;
		writeSync(2, `${mishapHappened}\n`);
		if (this.#mishap.who === "nixops4") process.kill(process.pid, "SIGKILL");
		else this.#process.kill("SIGKILL");
	}
}
