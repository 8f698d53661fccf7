import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Takes the place of an agent that still works in this folder. When a line breaks, its end here may not know it for a while,
 * and two must not work on one volume. Volumes bear `kill -9`, so that is how the other one ends.
 */
export async function takeTurn(folder: string): Promise<void> {
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const file = join(folder, "agent");
	const [pid, begun] = read(file).split(" ");
	const other = Number(pid);
	if (other > 0 && other !== process.pid && begunAt(other) === begun) {
		kill(other);
		while (begunAt(other) === begun) await wait(5);
	}
	writeFileSync(file, `${process.pid} ${begunAt(process.pid)}`, { mode: 0o600 });
}

function read(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "";
	}
}

/** When a process began, by the machine's clock of ticks, so that a later one with its number is another; undefined: it has ended. */
function begunAt(pid: number): string | undefined {
	const fields = read(`/proc/${pid}/stat`)
		.replace(/^.*\) /, "")
		.split(" ");
	return fields[0] === "Z" ? undefined : fields[19];
}

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}
