import { setTimeout as wait } from "node:timers/promises";
import { Problem } from "#protocol/problem.ts";
import { isRunning, type Process, processTable } from "./process-table.ts";

/** How long a killed process may take to go away; longer means that the kernel holds it. */
const killSeconds = 15;

/**
 * Ends every process that `belongs`, and looks again until there is none: those may have started others meanwhile.
 * `politely`: those that lead a group are asked first. Returns only when none is left, else throws Problem took-too-long.
 */
export async function endFor(
	belongs: (process: Process) => boolean,
	politely: { signal: NodeJS.Signals; seconds: number } | null,
): Promise<void> {
	const left = async () => (await processTable()).filter((one) => belongs(one) && one.pid !== process.pid);
	if (politely) {
		const leaders = (await left()).filter(({ pid, group }) => pid === group);
		await Promise.all(leaders.map((leader) => signalTo(leader, politely.signal)));
		await hasEnded(async () => (await left()).length === 0, leaders.length > 0 ? politely.seconds : 0);
	}
	const ended = await hasEnded(async () => {
		const rest = await left();
		await Promise.all(rest.map((one) => signalTo(one, "SIGKILL")));
		return rest.length === 0;
	}, killSeconds);
	if (!ended) throw new Problem("took-too-long", { seconds: killSeconds });
}

/** Sends a signal to this very process; to one that has ended, none, and nothing to a later one with its number. */
export async function signalTo(target: Pick<Process, "pid" | "started">, signal: NodeJS.Signals): Promise<void> {
	if (!(await isRunning(target))) return;
	try {
		process.kill(target.pid, signal);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}

/** Asks again and again, less and less often, until the answer is yes or the time is over; answers the last answer. */
export async function hasEnded(question: () => Promise<boolean>, seconds: number): Promise<boolean> {
	const until = performance.now() + seconds * 1000;
	for (let pause = 2; ; pause = Math.min(pause * 1.5, 50)) {
		if (await question()) return true;
		if (performance.now() >= until) return false;
		await wait(pause);
	}
}
