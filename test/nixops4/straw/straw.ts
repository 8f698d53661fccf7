/**
 * Test equipment: a provider's machines of straw, each behind an sshd of its own. A real NixOS would take hours and a
 * virtual machine; here a switch writes what the agent reads, and starts small services that keep what real ones keep.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request as ask, createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Identity } from "../../../node/machines/identity.ts";
import type { Machine } from "../../../node/machines/machine.ts";
import { compiled, SshMachine } from "../../machine.ts";
import { nix } from "../../nix/get-nix.ts";
import { Rooms } from "../../stories/guest-book/rooms.ts";
import { environmentFor, nixops4, rootIn } from "../program.ts";

const here = import.meta.dirname;

export class Straw {
	readonly machines: readonly SshMachine[];
	readonly rooms: Rooms;
	readonly keyFile: string;
	readonly nix: string;
	readonly #root: string;
	readonly #web: Server;

	/** `keyFile`: by which key a node gets to them; made if there is none. */
	static async open(count: number, keyFile: string): Promise<Straw> {
		const [rooms, program] = await Promise.all([Rooms.open(), nix()]);
		const straw = new Straw(count, keyFile, rooms, program ?? "nix");
		const publicKey = await new Identity(keyFile).publicKey();
		await new Promise<void>((listening) => straw.#web.listen(0, "127.0.0.1", listening));
		for (const machine of straw.machines) {
			await machine.start();
			furnish(machine, publicKey, rooms.address);
		}
		return straw;
	}

	private constructor(count: number, keyFile: string, rooms: Rooms, program: string) {
		this.machines = Array.from({ length: count }, () => new SshMachine());
		[this.keyFile, this.rooms, this.nix] = [keyFile, rooms, program];
		this.#root = rootIn(`${keyFile}-root`, join(here, "root"));
		this.#web = createServer((request, response) => {
			const port = this.#portOf(request.headers.host ?? "");
			if (port === undefined || request.url === "/owner") return void response.writeHead(404).end("nobody here");
			const { method, url, headers } = request;
			const inner = ask({ host: "127.0.0.1", port, path: url, method, headers, agent: false }, (answer) => {
				response.writeHead(answer.statusCode ?? 502, answer.headers);
				answer.pipe(response);
			});
			inner.on("error", () => response.headersSent || response.writeHead(502).end("it does not run"));
			request.pipe(inner);
		});
	}

	/** As staff would add them, in the order in which they are taken. */
	get pool(): Omit<Machine, "state" | "createdAt">[] {
		return this.machines.map(({ machine: { address, port, user, hostKey, system } }, n) => ({
			...{ id: `straw-${n + 1}`, address, publicAddress: null, port, user, hostKey, system },
			...{ memoryMiB: 16_384, diskGiB: 200 + n },
		}));
	}

	/** Lines of a node's configuration. */
	get settings(): string {
		return `engine.kind = "nixops4"
engine.program = "${nixops4}"
engine.root = "${this.#root}"
engine.key_file = "${this.keyFile}"
engine.web_port = ${(this.#web.address() as AddressInfo).port}
`;
	}

	/** What a node's process has to be told beside: where Nix is, and Node for the stand-in. */
	get environment(): Record<string, string> {
		return environmentFor(this.nix);
	}

	async close(): Promise<void> {
		this.#web.close();
		this.#web.closeAllConnections();
		for (const machine of this.machines) await machine.stop();
		await this.rooms.close();
	}

	#portOf(host: string): number | undefined {
		const name = host.replace(/:\d+$/, "");
		for (const machine of this.machines) {
			const file = machine.at("web.json");
			const port = existsSync(file) ? JSON.parse(readFileSync(file, "utf8"))[name] : undefined;
			if (port !== undefined) return port;
		}
		return undefined;
	}
}

/** Takes a node's key, runs what it asks for with the machine's own programs, and can be switched. */
function furnish(machine: SshMachine, publicKey: string, rooms: string): void {
	const bin = machine.at("bin");
	const script = (name: string, text: string) =>
		writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
	script("enter", `export PATH='${bin}':"$PATH" ${compiled}\nexec bash -c "$SSH_ORIGINAL_COMMAND"`);
	writeFileSync(machine.at("user.pub"), `command="${join(bin, "enter")}" ${publicKey}\n`);
	// One at a time, as with a real one: who is cut off may still be at it when the next one comes.
	script(
		"straw-switch",
		`exec flock -o '${machine.at("switching")}' '${process.execPath}' '${join(here, "switch.ts")}' '${machine.folder}'`,
	);
	writeFileSync(machine.at("straw.json"), JSON.stringify({ rooms }));
	mkdirSync(machine.at("units"), { recursive: true });
	renameSync(join(bin, "systemctl"), join(bin, "systemctl-of-services"));
	script("systemctl", systemctl(machine.folder));
}

/** Units that run to their end, and `restart`, beside what the stand-in for systemctl knows. */
const systemctl = (folder: string) => `verb=$1; shift
if [ "$1" = --no-block ]; then later=1; shift; fi
[ "$1" = -- ] && shift
for unit; do
	case $unit in
	*-owner.service)
		case $verb in
		start | restart) if [ "$later" ]; then setsid bash '${folder}/units/'"$unit" </dev/null >/dev/null 2>&1 & else bash '${folder}/units/'"$unit" || exit 1; fi;;
		esac;;
	*)
		[ "$verb" = restart ] && '${folder}/bin/systemctl-of-services' stop -- "$unit"
		'${folder}/bin/systemctl-of-services' "\${verb/restart/start}" -- "$unit" || exit;;
	esac
done`;

/** Makes a machine's next switches fail with these words, take so many ms, or nothing of it. */
export function upset(machine: SshMachine, { broken, slow }: { broken?: string; slow?: number }): void {
	for (const [name, value] of Object.entries({ broken, slow }))
		if (value === undefined) rmSync(machine.at(name), { force: true });
		else writeFileSync(machine.at(name), String(value));
}
