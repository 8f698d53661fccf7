/** A resource provider as NixOps4 starts one; part of the stand-in. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Found } from "./evaluator.ts";

export class ProviderProcess {
	readonly #process: ChildProcess;
	readonly #answers: AsyncIterator<string>;
	readonly #executable: string;
	#notThere = false;

	constructor({ executable, args }: Found["provider"]) {
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
		this.#process.stdin?.write(`${JSON.stringify({ [request]: content })}\n`);
		const { value, done } = await this.#answers.next();
		if (done) {
			if (this.#notThere) throw new Error(`Could not spawn provider process ${this.#executable}`);
			const how = await this.#ended();
			throw new Error(
				how === "exit status: 0"
					? "Provider process did not return any output"
					: `Provider process failed with exit code: ${how}`,
			);
		}
		const [[kind, given] = ["", {}], ...more] = Object.entries(parsed(value));
		if (kind === "errorResponse") throw new Error((given as { message: string }).message);
		if (kind !== answer || more.length > 0)
			throw new Error(
				`Expected ${answer[0]?.toUpperCase()}${answer.slice(1)} from provider but got: ${value.slice(0, 200)}`,
			);
		return given as Answer;
	}

	/** It is told to end by the end of its input, and awaited. */
	async close(): Promise<void> {
		this.#process.stdin?.end();
		await this.#ended();
	}

	/** As Rust says it. */
	async #ended(): Promise<string> {
		if (!this.#notThere && this.#process.exitCode === null && this.#process.signalCode === null)
			await new Promise((ended) => this.#process.once("exit", ended));
		const { exitCode, signalCode } = this.#process;
		return signalCode ? `signal: ${constants.signals[signalCode]} (${signalCode})` : `exit status: ${exitCode}`;
	}
}

function parsed(line: string): object {
	try {
		return JSON.parse(line) as object;
	} catch {
		throw new Error("expected value at line 1 column 1");
	}
}
