import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "#protocol/nixops4/plan.ts";
import { runToEnd } from "../../node/engines/local/run.ts";
import { Answering } from "../../node/engines/nixops4/answering.ts";
import { Application } from "../../node/engines/nixops4/application.ts";
import { Progress } from "../../node/engines/nixops4/resources/progress.ts";
import type { Resources } from "../../node/engines/nixops4/resources/resource.ts";
import { Runs } from "../../node/engines/nixops4/runs.ts";
import { States } from "../../node/engines/nixops4/states.ts";
import { Database } from "../../node/store/database.ts";
import { endedChildren } from "../machine.ts";
import { nix } from "../nix/get-nix.ts";
import { environmentFor, nixops4 as program } from "../nixops4/program.ts";
import { type Bench, interleave, type Measure, median } from "./bench.ts";
import { rootOf } from "./provider.ts";

const here = import.meta.dirname;
const words = [program, "apply", "--no-interactive", "--color", "never"] as const;
const plan = {
	...{ version: 1, deployment: "d1", domain: "choir.example", mode: "serving", generation: 0, services: {} },
	provider: { executable: process.execPath, args: [] },
	machine: { memoryMiB: 1, diskMiB: 1, system: "x86_64-linux", ensure: "present" },
	ssh: { identityFile: null },
	customerKeys: [],
} satisfies Plan;

/** The engine's run with our provider and the node's side of it, beside the same program with a provider that does nothing. */
export const bench: Bench = {
	name: "nixops4",
	goals: "engine, provider and node add at most 50 ms of processor a resource to a bare apply",
	async run(say) {
		const evaluator = await nix();
		if (evaluator === null) return [];
		const folder = mkdtempSync(join(tmpdir(), "bench-nixops4-"));
		const db = new Database(join(folder, "node.sqlite"));
		const answering = new Answering(new States(db, Date.now), {
			progress: new Progress(),
		} as Partial<Resources> as Resources);
		const runs = new Runs({ socket: join(folder, "run.sock"), folder: join(folder, "runs"), answering });
		const environment = {
			...environmentFor(evaluator),
			NODE_COMPILE_CACHE: join(folder, "compiled"),
		};
		const work = (name: string, count: number, provider: readonly string[]) => {
			const path = join(folder, `${name}-${count}`);
			mkdirSync(path, { recursive: true });
			writeFileSync(join(path, "nixops4.nix"), rootOf(count, provider));
			return path;
		};
		const measures: Measure[] = [];
		try {
			for (const count of [1, 10, 100]) {
				say(`a run of ${count}`);
				const ours = work("ours", count, [join(here, "../../node/main.ts"), "provider"]);
				const bare = work("bare", count, [join(here, "servers/bare-provider.mjs")]);
				const unit = `bench/${process.pid}/nixops4`;
				const parts = { plan, runs, program, environment, unit, deadline: 600, made: async () => {} };
				const samples = await interleave(count === 100 ? 1 : 5, {
					ours: () => processor(() => new Application({ ...parts, folder: ours }).ended),
					bare: () => processor(() => runToEnd({ ...quiet, command: words, folder: bare, env: environment })),
				});
				const [measured, value] = [median(samples.ours), median(samples.bare)];
				measures.push({ what: `a run of ${count}`, unit: "ms", measured, peer: { name: "bare apply", value } });
				const more = (measured - value) / count;
				// Of one resource most is the engine's, which is once a run: it reads the table of processes to see that none is left.
				measures.push({
					what: "more a resource",
					unit: "ms",
					measured: more,
					...(count > 1 && { goal: { atMost: 50 } }),
				});
			}
			return measures;
		} finally {
			await runs.close();
			db.close();
			rmSync(folder, { recursive: true });
		}
	},
};

/** As the engine's, not a pipe that its providers may set to fail when it is full. */
const quiet = { name: "nixops4", signal: new AbortController().signal, outputs: openSync("/dev/null", "w") };

/** Milliseconds of processor of this process and of all that it has started and seen end. */
async function processor(work: () => Promise<unknown>): Promise<number> {
	const [own, others] = [process.cpuUsage(), endedChildren(`${process.pid}`)];
	await work();
	const { user, system } = process.cpuUsage(own);
	return (user + system) / 1000 + (endedChildren(`${process.pid}`) - others) * 1000;
}
