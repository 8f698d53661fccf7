import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { Plan as NixPlan } from "#protocol/nixops4/plan.ts";
import { membersOf } from "#protocol/nixops4/plan.ts";
import { Problem } from "#protocol/problem.ts";
import type { Report } from "../engine.ts";
import { endFor } from "../local/end.ts";
import { processTable } from "../local/process-table.ts";
import { RunFailed, runToEnd } from "../local/run.ts";
import { marker } from "../local/unit.ts";
import type { RunEvent } from "./resources/resource.ts";
import type { Runs } from "./runs.ts";
import { Said } from "./said.ts";
import { Written } from "./written.ts";

const log = getLogger(["fediversity", "nixops4"]);

/** How often is looked whether its evaluator lives, seconds. */
const looking = 20;

export interface ApplicationParts {
	/** The working folder, made ready. */
	readonly folder: string;
	readonly plan: NixPlan;
	readonly runs: Pick<Runs, "open">;
	/** `nixops4`, as a path or a name on PATH. */
	readonly program: string;
	/** What the program and our providers see: PATH and where Nix is, nothing of ours that is secret. */
	readonly environment: Readonly<Record<string, string>>;
	/** Marks all its processes, so that they are found when this node has been killed. */
	readonly unit: string;
	/** Seconds. */
	readonly deadline: number;
	/** Called when the plan is true, before anybody who waits is told: nobody may be waiting. */
	readonly made: () => Promise<void>;
	/** How often is looked whether NixOps4 still has its evaluator, seconds; 20 unless told. */
	readonly looking?: number;
}

/** One run of `nixops4 apply`, which several steps of a job wait for. Its end is certain: no process of it is left then. */
export class Application {
	readonly plan: NixPlan;
	/** Resolves when the plan is true. Rejects with this node's own Problem where it had one, else `nixops4-failed` or `took-too-long`, or with why it was cut off. */
	readonly ended: Promise<void>;
	readonly #ending = new AbortController();
	readonly #marks = new Set<string>();
	readonly #done = new Set<string>();
	readonly #said = new Said();
	readonly #listeners = new Set<() => void>();
	#isOver = false;
	/** How often in succession it has been seen alone. */
	#alone = 0;
	/** The first thing that this node could not do for it, which says what to do. */
	#problem: Problem | undefined;

	constructor(parts: ApplicationParts) {
		this.plan = parts.plan;
		this.ended = this.#run(parts).finally(() => {
			this.#isOver = true;
			this.#tell();
		});
		// Whoever waits is told; nobody may be waiting right now.
		this.ended.catch(() => {});
	}

	get isOver(): boolean {
		return this.#isOver;
	}

	/** Ends it with everything that it has started. */
	async cutOff(): Promise<void> {
		this.#ending.abort(new Problem("cancelled"));
		await this.ended.catch(() => {});
	}

	/** Waits until NixOps4 has come past this mark, such as `wiki done`, or to the end; what it says meanwhile goes to the report. */
	async until(mark: string, report: Report): Promise<void> {
		let told = 0;
		for (;;) {
			for (; told < this.#said.lines.length; told++) report.log(this.#said.lines[told] ?? "");
			report.progress(this.#fraction);
			if (this.#marks.has(mark)) return;
			if (this.#isOver) return this.ended;
			report.signal.throwIfAborted();
			await this.#news(report.signal);
		}
	}

	get #fraction(): number {
		return Math.min(1, this.#done.size / membersOf(this.plan).length);
	}

	async #run(parts: ApplicationParts): Promise<void> {
		const { plan, unit } = parts;
		const run = await parts.runs.open(plan.deployment, plan.domain, (event) => this.#heard(event));
		const late = AbortSignal.timeout(parts.deadline * 1000);
		const watch = setInterval(() => void this.#seesEvaluator(unit), (parts.looking ?? looking) * 1000);
		let written: Written | undefined;
		try {
			written = new Written(join(parts.folder, "said.log"), (line) => {
				this.#said.hear(line);
				this.#tell();
			});
			await runToEnd({
				command: [parts.program, "apply", "--no-interactive", "--color", "never"],
				name: "nixops4",
				folder: parts.folder,
				env: { ...parts.environment, ...run.environment, [marker]: unit },
				signal: AbortSignal.any([this.#ending.signal, late]),
				outputs: written.descriptor,
			});
			await parts.made();
		} catch (error) {
			if (late.aborted) throw new Problem("took-too-long", { seconds: parts.deadline }, { cause: error });
			written?.read();
			throw this.#why(error);
		} finally {
			clearInterval(watch);
			// Providers and whatever they have started may outlive it.
			await endFor((one) => one.unit === unit, null);
			written?.end();
			this.#said.end();
			await run.close();
		}
	}

	#heard(event: RunEvent): void {
		if (event.kind === "step") this.#marks.add(`${event.step} ${event.event}`);
		else if (event.event === "done") this.#marks.add(`${event.type} ${event.name}`);
		if (event.kind === "resource") this.#problem ??= event.problem;
		if (event.kind === "step" || event.event === "done") this.#done.add(JSON.stringify(event));
		this.#tell();
	}

	/**
	 * NixOps4 waits for ever for an evaluator that was killed, as it may be where memory is short. It is alone then,
	 * which it never is before its end.
	 */
	async #seesEvaluator(unit: string): Promise<void> {
		const { length } = (await processTable().catch(() => [])).filter((one) => one.unit === unit);
		this.#alone = length === 1 ? this.#alone + 1 : 0;
		const reason = "its evaluator has gone, perhaps because memory was short";
		if (this.#alone === 2) this.#ending.abort(new Problem("nixops4-failed", { reason }));
	}

	#why(error: unknown): unknown {
		if ((error as NodeJS.ErrnoException).code === "ENOENT")
			return new Problem("program-missing", { program: "nixops4", fix: "nix profile install github:nixops4/nixops4" });
		if (!(error instanceof RunFailed)) return error;
		const reason = this.#said.reason(error.message);
		log.warning("NixOps4 failed for {deployment}: {reason}", { deployment: this.plan.deployment, reason });
		if (this.#problem) return this.#problem;
		return new Problem("nixops4-failed", { reason }, { cause: error });
	}

	#news(signal: AbortSignal): Promise<void> {
		return new Promise((news) => {
			const told = () => {
				this.#listeners.delete(told);
				signal.removeEventListener("abort", told);
				news();
			};
			this.#listeners.add(told);
			signal.addEventListener("abort", told, { once: true });
		});
	}

	#tell(): void {
		for (const told of [...this.#listeners]) told();
	}
}
