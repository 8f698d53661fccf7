/** Test equipment: kills somebody in a run at one moment of it, whichever `nixops4` it is by. */
import { readdirSync, readFileSync } from "node:fs";
import { Answering } from "../../node/engines/nixops4/answering.ts";

/** `provider`: of ours, the one that was started last. */
export type Victim = "nixops4" | "provider" | "node";

/**
 * From now on this process answers what NixOps4 asks until it has come to the so-many-th half: before (odd) or after (even)
 * an answer is known. Then the victim is killed, `told` before. `run` stands in the environment of the run's processes.
 * Answers how to end that.
 */
export function awaitMishap(victim: Victim, half: number, run: () => string, told: () => void = () => {}): () => void {
	const { answer } = Answering.prototype;
	let halves = 0;
	const maybe = () => {
		if (++halves !== half) return;
		told();
		kill(victim, run());
	};
	Answering.prototype.answer = async function (...asked) {
		maybe();
		const answered = await answer.apply(this, asked);
		maybe();
		return answered;
	};
	return () => {
		Answering.prototype.answer = answer;
	};
}

function kill(victim: Victim, run: string): void {
	if (victim === "node") return void process.kill(process.pid, "SIGKILL");
	const provider = providers(run).at(-1);
	if (!provider) throw new Error(`no provider of ${run} is running`);
	process.kill(victim === "provider" ? provider.pid : provider.parent, "SIGKILL");
}

/** Those of a run, or of all runs in a folder, that live now, the last one last; where there is no /proc, none is found. */
export function providers(run: string): { readonly pid: number; readonly parent: number }[] {
	return readdirSync("/proc")
		.filter((name) => Number(name))
		.flatMap((pid) => {
			try {
				const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8");
				if (!/\0provider\0$/.test(read("cmdline")) || !read("environ").includes(run)) return [];
				const stat = read("stat");
				return [{ pid: Number(pid), parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) }];
			} catch {
				// It ended while we looked.
				return [];
			}
		})
		.sort((one, other) => one.pid - other.pid);
}
