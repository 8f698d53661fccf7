import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fingerprintMarker, marker } from "./unit.ts";

/** A process of this machine that still runs; those that only wait to be reaped (zombies) are left out. */
export interface Process {
	readonly pid: number;
	readonly group: number;
	/** Tells a process from a later one with the same number. */
	readonly started: string;
	readonly user: number | null;
	/** The value of FEDIVERSITY_UNIT, if its environment has one that we may read. */
	readonly unit: string | null;
	readonly fingerprint: string | null;
}

/** Every process that runs now. Those that end while we look are left out. */
export async function processTable(): Promise<Process[]> {
	return process.platform === "linux" ? fromProc() : fromPs(await ps());
}

/** Whether this very process still runs. */
export async function isRunning({ pid, started }: Pick<Process, "pid" | "started">): Promise<boolean> {
	return started !== "" && (await startOf(pid)) === started;
}

/** When the process that has this number now was started, as `Process.started`; empty: there is none. */
export async function startOf(pid: number): Promise<string> {
	if (process.platform === "linux") return bareProcess(pid)?.started ?? "";
	return (await processTable()).find((known) => known.pid === pid)?.started ?? "";
}

function fromProc(): Process[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.flatMap((name) => {
			const bare = bareProcess(Number(name));
			return bare ? [{ ...bare, ...markersIn(environment(bare.pid)) }] : [];
		});
}

type Bare = Omit<Process, "unit" | "fingerprint">;

/** `/proc/<pid>/stat`, see proc(5): the name in parentheses may itself hold spaces and parentheses. */
function bareProcess(pid: number): Bare | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		const [state = "", , group = ""] = fields;
		if (/[ZXx]/.test(state)) return undefined;
		return { pid, group: Number(group), started: fields[19] ?? "", user: userOf(pid) };
	} catch (error) {
		// Anything else, such as too many open files, must not pass for the end of a process.
		if (!isGone(error)) throw error;
		return undefined;
	}
}

/** It ended before, or while, its file was read. */
function isGone(error: unknown): boolean {
	return ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function userOf(pid: number): number | null {
	const found = /^Uid:\t\d+\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
	return found ? Number(found[1]) : null;
}

function environment(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/environ`, "latin1");
	} catch (error) {
		const isOthers = ["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
		if (!isOthers && !isGone(error)) throw error;
		return "";
	}
}

function markersIn(environ: string): Pick<Process, "unit" | "fingerprint"> {
	const value = (name: string) => new RegExp(`(?:^|[\\0 ])${name}=([^\\0 ]*)`).exec(environ)?.[1] ?? null;
	return { unit: value(marker), fingerprint: value(fingerprintMarker) };
}

/** BSD's ps with every process's environment behind its command; `lstart` is five words. */
function ps(): Promise<string> {
	return new Promise((done, failed) => {
		const columns = "pid=,pgid=,uid=,stat=,lstart=,command=";
		execFile("ps", ["-A", "-E", "-ww", "-o", columns], { maxBuffer: 2 ** 26 }, (error, out) =>
			error ? failed(error) : done(out),
		);
	});
}

/** Reads what `ps` above prints. */
export function fromPs(table: string): Process[] {
	return table.split("\n").flatMap((line) => {
		const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(line);
		if (!found || found[4]?.startsWith("Z")) return [];
		const [, pid, group, user, , started = "", command = ""] = found;
		return [{ pid: Number(pid), group: Number(group), user: Number(user), started, ...markersIn(command) }];
	});
}
