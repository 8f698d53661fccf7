/** Test equipment: a machine of the provider's, which is this one, behind an sshd of its own, with the agent and a stand-in for systemctl. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Agent } from "../node/agent/agent.ts";
import type { Declared, DeclaredPlace, DeclaredService } from "../node/agent/declaration.ts";
import { Machinery } from "../node/agent/elsewhere.ts";
import type { Machine } from "../node/machines/machine.ts";
import { Ssh } from "../node/machines/ssh.ts";
import type { Place } from "../node/volumes/volume.ts";

const server = "/usr/sbin/sshd";
/** For programs that are started again and again: half the processor's time. */
export const compiled = `NODE_COMPILE_CACHE='${join(import.meta.dirname, "../.cache/compiled")}'`;
export const hasSshd = existsSync(server);

/** A machine that can be reached by ssh: on loopback, or in a network namespace that `enter` leads into. */
export class SshMachine {
	readonly folder = mkdtempSync(join(tmpdir(), "machine-"));
	readonly #address: string;
	readonly #enter: readonly string[];
	readonly #services: Record<string, DeclaredService> = {};
	#machine: Machine | undefined;
	#daemon: ChildProcess | undefined;
	readonly #hosts: Ssh[] = [];

	constructor({ address = "127.0.0.1", enter = [] }: { address?: string; enter?: readonly string[] } = {}) {
		this.#address = address;
		this.#enter = enter;
	}

	/** Starts its sshd; again after `cut`. */
	async start(): Promise<void> {
		const first = this.#machine === undefined;
		if (first) this.#furnish();
		const port = this.#machine?.port ?? (await freePort());
		if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
		const options = [
			...[`ListenAddress=${this.#address}`, `HostKey=${this.at("host")}`, `AuthorizedKeysFile=${this.at("user.pub")}`],
			...[
				"StrictModes=no",
				"UsePAM=no",
				"PidFile=none",
				"PasswordAuthentication=no",
				"MaxStartups=100",
				"MaxSessions=100",
			],
		];
		const words = ["-D", "-e", "-f", "/dev/null", "-p", `${port}`, ...options.flatMap((one) => ["-o", one])];
		const [program = "", ...args] = [...this.#enter, server, ...words];
		const daemon = spawn(program, args, { stdio: "ignore" });
		this.#daemon = daemon;
		const [kind, key] = readFileSync(this.at("host.pub"), "utf8").split(" ");
		this.#machine = {
			...{ id: "one", address: this.#address, publicAddress: null, port, user: userInfo().username },
			...{ hostKey: `${kind} ${key}`, system: "x86_64-linux", memoryMiB: 4096, diskGiB: 100 },
			...{ state: "open", createdAt: 0 },
		};
		while (!(await isListening(port, this.#address))) {
			if (daemon.exitCode !== null) throw new Error(`sshd ended with ${daemon.exitCode}`);
			await wait(20);
		}
	}

	get machine(): Machine {
		if (!this.#machine) throw new Error("It was not started");
		return this.#machine;
	}

	get identity(): string {
		return this.at("user");
	}

	get program(): readonly string[] {
		return [this.at("bin/fediversity-agent")];
	}

	get reach() {
		return { machine: this.machine, identity: this.identity, program: this.program };
	}

	/** A connection of its own. */
	host(machine: Machine = this.machine): Ssh {
		const host = new Ssh(machine, { identity: this.identity, patience: 5 });
		this.#hosts.push(host);
		return host;
	}

	agent(host = this.host()): Agent {
		return new Agent(host, this.program);
	}

	elsewhere(agent = this.agent()): Machinery {
		return new Machinery(() => agent);
	}

	at(name: string): string {
		return join(this.folder, name);
	}

	declare(service: string, declared: DeclaredService): void {
		this.#services[service] = declared;
		this.#write();
	}

	/** As after a switch to a system without it. */
	withdraw(service: string): void {
		delete this.#services[service];
		this.#write();
	}

	#write(): void {
		const all: Declared = { state: this.at("state"), services: this.#services };
		writeFileSync(this.at("agent.json"), JSON.stringify(all));
	}

	/** A place here as this machine declares it. */
	declared(place: Place): DeclaredPlace {
		if (place.kind === "remote") throw new Error("A machine declares what it has itself");
		if (place.kind === "bucket") {
			const { accessKeyId, secretAccessKey, ...bucket } = place;
			const accessKeyIdFile = this.#secret(`id-${place.bucket}`, accessKeyId);
			return { ...bucket, accessKeyIdFile, secretAccessKeyFile: this.#secret(`key-${place.bucket}`, secretAccessKey) };
		}
		if (place.kind !== "postgres") return place;
		const { password, ...rest } = place;
		const passwordFile = this.#secret(`password-${place.database}`, password ?? "");
		return { ...rest, passwordFile: password === null ? null : passwordFile };
	}

	#secret(name: string, value: string): string {
		writeFileSync(this.at(name), value, { mode: 0o600 });
		return this.at(name);
	}

	/** A unit as the stand-in for systemctl knows it: a command that runs until it is stopped. */
	unit(name: string, command: string): void {
		mkdirSync(this.at("units"), { recursive: true });
		writeFileSync(join(this.at("units"), name), command);
	}

	/** Seconds of processor time of everything that connections have started here; waits for the end of those that are open. */
	async cpu(): Promise<number> {
		const pid = this.#daemon?.pid;
		while (childrenOf(pid).length > 0) await wait(10);
		return endedChildren(`${pid}`);
	}

	/** How a program such as rsync gets here by the same way: the client with its options. */
	get client(): string {
		const { port, user, hostKey } = this.machine;
		writeFileSync(this.at("known"), `machine ${hostKey}\n`);
		const known = `-o HostKeyAlias=machine -o UserKnownHostsFile=${this.at("known")} -o StrictHostKeyChecking=yes`;
		return `ssh -F none -i ${this.identity} -p ${port} -l ${user} ${known}`;
	}

	/** Ends every connection in the middle, as if the line were cut; the machine can be reached again at once. */
	cut(): void {
		for (const pid of childrenOf(this.#daemon?.pid)) kill(pid);
	}

	async stop(): Promise<void> {
		for (const host of this.#hosts) await host.close();
		for (const unit of unitsIn(this.at("run"))) kill(unit, true);
		await this.down();
		rmSync(this.folder, { recursive: true, force: true });
	}

	/** Nobody listens any more, and no connection is left. */
	async down(): Promise<void> {
		const daemon = this.#daemon;
		daemon?.kill("SIGSTOP");
		this.cut();
		this.#daemon = undefined;
		if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
		daemon.kill("SIGKILL");
		await once(daemon, "exit");
	}

	#furnish(): void {
		for (const name of ["host", "user"])
			spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", this.at(name)]);
		for (const name of ["bin", "run"]) mkdirSync(this.at(name));
		const main = join(import.meta.dirname, "../node/agent/main.ts");
		const environment = `PATH='${this.at("bin")}':"$PATH" FEDIVERSITY_AGENT_FILE='${this.at("agent.json")}'`;
		this.#script("fediversity-agent", `export ${environment} ${compiled}\nexec '${process.execPath}' '${main}' "$@"`);
		this.#script("systemctl", standIn(this.folder));
		writeFileSync(this.at("agent.json"), JSON.stringify({ state: this.at("state"), services: {} }));
	}

	#script(name: string, text: string): void {
		writeFileSync(join(this.at("bin"), name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
	}
}

/**
 * What stands in for systemctl: `start`, `stop` and `is-active` for units that are commands. It looks at no
 * ConditionPathExists, since it starts nothing by itself.
 */
const standIn = (folder: string) => `verb=$1; shift; [ "$1" = -- ] && shift
running() { [ -s "${folder}/run/$1" ] && kill -0 "$(cat "${folder}/run/$1")" 2>/dev/null; }
for unit; do
	[ -e "${folder}/units/$unit" ] || { echo "Failed to $verb $unit: Unit $unit not found." >&2; exit 5; }
	case $verb in
	start) running "$unit" || { setsid bash "${folder}/units/$unit" </dev/null >/dev/null 2>&1 & echo $! >"${folder}/run/$unit"; };;
	stop) if running "$unit"; then kill "$(cat "${folder}/run/$unit")"; while running "$unit"; do sleep 0.02; done; fi; rm -f "${folder}/run/$unit";;
	is-active) if running "$unit"; then echo active; else echo inactive; exit 3; fi;;
	*) exit 64;;
	esac
done`;

function unitsIn(folder: string): number[] {
	return spawnSync("sh", ["-c", 'cat -- "$1"/* 2>/dev/null', "sh", folder], { encoding: "utf8" })
		.stdout.split("\n")
		.flatMap((line) => Number(line) || []);
}

function childrenOf(pid: number | undefined): number[] {
	if (pid === undefined) return [];
	const { stdout } = spawnSync("pgrep", ["-P", `${pid}`], { encoding: "utf8" });
	return stdout.split("\n").flatMap((line) => Number(line) || []);
}

/** User and system time of a process's children that have ended, in seconds, proc(5). */
export function endedChildren(pid: string): number {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
		.replace(/^.*\) /, "")
		.split(" ");
	return (Number(fields[13]) + Number(fields[14])) / 100;
}

function kill(pid: number, group = false): void {
	try {
		process.kill(group ? -pid : pid, "SIGKILL");
	} catch {
		// It has ended meanwhile.
	}
}

async function freePort(): Promise<number> {
	const probe = createServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const { port } = probe.address() as { port: number };
	probe.close();
	await once(probe, "close");
	return port;
}

async function isListening(port: number, address: string): Promise<boolean> {
	const { connect } = await import("node:net");
	return new Promise((resolve) => {
		const socket = connect(port, address, () => {
			socket.destroy();
			resolve(true);
		});
		socket.on("error", () => resolve(false));
	});
}
