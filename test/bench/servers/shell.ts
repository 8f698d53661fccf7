import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort, isListening } from "./peer.ts";

/** A way onto this very machine by ssh. */
export interface Shell {
	/** What to call, with all its options; and whom. */
	readonly command: string;
	readonly host: string;
	/** Processor time of everything started through it, in seconds, once that has ended. */
	cpu(): number;
	stop(): Promise<void>;
}

const server = "/usr/sbin/sshd";

/** An sshd of its own on a loopback port, with keys made for it; undefined where there is none. */
export async function startShell(folder: string): Promise<Shell | undefined> {
	if (!existsSync(server)) return undefined;
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const file = (name: string) => join(folder, name);
	for (const name of ["host", "user"]) spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(name)]);
	writeFileSync(file("authorized"), readFileSync(file("user.pub")));
	chmodSync(file("authorized"), 0o600);
	// Where its sessions shed their rights; the package's own service makes it at its start.
	if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
	const port = await freePort();
	const options = [
		...["ListenAddress=127.0.0.1", `HostKey=${file("host")}`, `AuthorizedKeysFile=${file("authorized")}`],
		...["StrictModes=no", "UsePAM=no", "PidFile=none", "PasswordAuthentication=no"],
	];
	const daemon = spawn(
		server,
		["-D", "-e", "-f", "/dev/null", "-p", `${port}`, ...options.flatMap((one) => ["-o", one])],
		{
			stdio: ["ignore", "ignore", "ignore"],
		},
	);
	while (!(await isListening(port))) {
		if (daemon.exitCode !== null) return undefined;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	const known = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes";
	return {
		command: `ssh -F /dev/null -i ${file("user")} -p ${port} ${known}`,
		host: `${userInfo().username}@127.0.0.1`,
		cpu: () => {
			while (hasChildren(daemon.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
			return childTicks(daemon.pid) / 100;
		},
		stop: async () => {
			daemon.kill();
		},
	};
}

/**
 * Runs a line of shell and says how many seconds it took; its processor time is that of all its processes, and of those
 * that ssh has started for it.
 */
export function timed(command: string, shell?: Shell): { wall: number; cpu: number; stdout: string } {
	const [before, start] = [shell?.cpu() ?? 0, performance.now()];
	const script = `set -o pipefail; ${command}; status=$?; cat /proc/$$/stat >&2; exit $status`;
	const run = spawnSync("bash", ["-c", script], { encoding: "utf8" });
	const wall = (performance.now() - start) / 1000;
	if (run.status !== 0) throw new Error(`${command} failed: ${run.stderr}`);
	const line = run.stderr.trim().split("\n").at(-1) ?? "";
	const fields = line.replace(/^.*\) /, "").split(" ");
	const cpu = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
	return { wall, cpu: cpu + (shell?.cpu() ?? 0) - before, stdout: run.stdout };
}

const hasChildren = (pid: number | undefined) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8") !== "";

/** User and system time of a process's children that have ended, proc(5). */
function childTicks(pid: number | undefined): number {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	return Number(fields[13]) + Number(fields[14]);
}
