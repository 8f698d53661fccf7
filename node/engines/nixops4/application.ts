import { getLogger } from "@logtape/logtape";
import type { Plan as NixPlan } from "#protocol/nixops4/plan.ts";
import { membersOf } from "#protocol/nixops4/plan.ts";
import { Problem } from "#protocol/problem.ts";
import { redactedText } from "../../secrets/redaction.ts";
import type { Report } from "../engine.ts";
import { endFor } from "../local/end.ts";
import { RunFailed, runToEnd } from "../local/run.ts";
import { marker } from "../local/unit.ts";
import type { RunEvent } from "./resources/resource.ts";
import type { Runs } from "./runs.ts";

const log = getLogger(["fediversity", "nixops4"]);

/** So many lines of what it says are kept for those who come to listen later. */
const mostLines = 2000;
/** Longer lines are cut. */
const longestLine = 4000;

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
}

/** One run of `nixops4 apply`, which several steps of a job wait for. Its end is certain: no process of it is left then. */
export class Application {
	readonly plan: NixPlan;
	/** Resolves when the plan is true. Rejects with this node's own Problem where it had one, else `nixops4-failed` or `took-too-long`, or with why it was cut off. */
	readonly ended: Promise<void>;
	readonly #ending = new AbortController();
	readonly #marks = new Set<string>();
	readonly #done = new Set<string>();
	readonly #lines: string[] = [];
	readonly #listeners = new Set<() => void>();
	#isOver = false;
	/** The first thing that this node could not do for it, which says what to do. */
	#problem: Problem | undefined;
	/** NixOps4's own last sentence. */
	#trouble: string | undefined;

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
			for (; told < this.#lines.length; told++) report.log(this.#lines[told] ?? "");
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
		try {
			await runToEnd({
				command: [parts.program, "apply", "--no-interactive", "--color", "never"],
				name: "nixops4",
				folder: parts.folder,
				env: { ...parts.environment, ...run.environment, [marker]: unit },
				signal: AbortSignal.any([this.#ending.signal, late]),
				line: (line) => this.#say(line),
			});
			await parts.made();
		} catch (error) {
			if (late.aborted) throw new Problem("took-too-long", { seconds: parts.deadline }, { cause: error });
			throw this.#why(error);
		} finally {
			// Providers and whatever they have started may outlive it.
			await endFor((one) => one.unit === unit, null);
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

	#say(line: string): void {
		const kept = redactedText(line.slice(0, longestLine));
		const said = /nixops4 error: *(.+)$/.exec(kept)?.[1] ?? /Provider error: *(.+)$/.exec(kept)?.[1];
		if (said) this.#trouble = said;
		if (this.#lines.length < mostLines) this.#lines.push(kept);
		this.#tell();
	}

	#why(error: unknown): unknown {
		if ((error as NodeJS.ErrnoException).code === "ENOENT")
			return new Problem("program-missing", { program: "nixops4", fix: "nix profile install github:nixops4/nixops4" });
		if (!(error instanceof RunFailed)) return error;
		log.warning("NixOps4 failed for {deployment}: {why}", { deployment: this.plan.deployment, why: this.#trouble });
		if (this.#problem) return this.#problem;
		return new Problem("nixops4-failed", { reason: reasonIn(this.#trouble ?? error.message) }, { cause: error });
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

/** NixOps4 says no more of a switch than that its program has failed. */
function reasonIn(said: string): string {
	if (!/ system\.switch\b/.test(said)) return said;
	return "its NixOS could not be built, or it could not be switched to that; the log has why";
}
