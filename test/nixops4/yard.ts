/** A node's side, nixops4 and a deployment's working folder, each as a process or a place of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Plan } from "#protocol/nixops4/plan.ts";
import type { RunEvent } from "../../node/engines/nixops4/resources/resource.ts";
import { States } from "../../node/engines/nixops4/states.ts";
import { Database } from "../../node/store/database.ts";
import type { Victim } from "./mishap.ts";
import { environmentFor, nixops4, rootIn } from "./program.ts";
import { World } from "./world.ts";

const here = import.meta.dirname;
const boot = join(here, "../../node/boot.mjs");

export interface Ended {
	/** Null: it was killed. */
	readonly code: number | null;
	readonly output: string;
	readonly errors: string;
}

/** The node's side while it runs. */
export interface Side {
	readonly environment: Record<string, string>;
	readonly events: RunEvent[];
	/** Somebody has been killed, as was wished. */
	readonly hadMishap: () => boolean;
	readonly process: ChildProcess;
	/** Ends the run and the process, unless that has been killed. */
	close(): Promise<void>;
}

export class Yard {
	readonly folder = mkdtempSync(join(tmpdir(), "fediversity-nixops4-"));
	readonly world = new World(this.folder);
	readonly #nix: string;

	constructor(nix: string) {
		this.#nix = nix;
		mkdirSync(join(this.folder, "work"));
		symlinkSync(rootIn(join(this.folder, "root"), join(here, "root")), join(this.folder, "work/root"));
		writeFileSync(join(this.folder, "work/nixops4.nix"), "import ./root { plan = ./plan.json; }\n");
	}

	plan(plan: Plan): void {
		writeFileSync(join(this.folder, "work/plan.json"), JSON.stringify(Plan.parse(plan)));
	}

	async side(deployment = "d1", victim: Victim = "node", half = 0): Promise<Side> {
		const child = spawn(process.execPath, [join(here, "node-side.ts"), this.folder, deployment, victim, String(half)], {
			stdio: ["pipe", "pipe", "inherit"],
		});
		child.stdin.on("error", () => {});
		const events: RunEvent[] = [];
		let mishap = false;
		const ended = once(child, "exit");
		const lines = createInterface({ input: child.stdout });
		const environment = await new Promise<Record<string, string>>((ready, failed) => {
			ended.then(() => failed(new Error("the node's side did not begin")));
			lines.on("line", (line) => {
				const said = JSON.parse(line);
				if ("FEDIVERSITY_RUN_SOCKET" in said) ready(said);
				else if (said.kind === "mishap") mishap = true;
				else events.push(said);
			});
		});
		const close = async () => {
			child.stdin.end();
			await ended;
		};
		return { environment, events, hadMishap: () => mishap, process: child, close };
	}

	/** Runs it in the deployment's folder. */
	async nixops4(args: readonly string[], side: Side, more: Record<string, string> = {}): Promise<Ended> {
		// As the engine's: a pipe may fail when it is full, once a provider has had it.
		const file = join(this.folder, "said.log");
		const errors = openSync(file, "w");
		const child = spawn(nixops4, args, {
			cwd: join(this.folder, "work"),
			// What it leaves behind when it is killed goes with the yard.
			env: { ...process.env, TMPDIR: this.folder, ...environmentFor(this.#nix), ...side.environment, ...more },
			stdio: ["ignore", "pipe", errors],
		});
		closeSync(errors);
		let output = "";
		child.stdout?.setEncoding("utf8").on("data", (text: string) => {
			output += text;
		});
		const [code] = await once(child, "close");
		return { code, output, errors: readFileSync(file, "utf8") };
	}

	/** One whole run. */
	async apply(more: Record<string, string> = {}): Promise<Ended & { readonly events: readonly RunEvent[] }> {
		const side = await this.side();
		const ended = await this.nixops4(["apply", "--no-interactive"], side, more);
		await side.close();
		return { ...ended, events: side.events };
	}

	/** What the node has written down. */
	states<Result>(look: (states: States) => Result): Result {
		const db = new Database(join(this.folder, "node.sqlite"));
		try {
			return look(new States(db, Date.now));
		} finally {
			db.close();
		}
	}

	remove(): void {
		rmSync(this.folder, { recursive: true, force: true });
	}
}

/** A deployment of one service with one of everything. */
export function choir(more: Partial<Plan> = {}): Plan {
	return {
		version: 1,
		deployment: "d1",
		domain: "choir.example",
		mode: "serving",
		generation: 0,
		provider: { executable: process.execPath, args: [boot, "provider"] },
		machine: { memoryMiB: 4096, diskMiB: 20_480, system: "x86_64-linux", ensure: "present" },
		ssh: { identityFile: null },
		customerKeys: [],
		services: {
			mastodon: {
				hosts: ["social.choir.example"],
				origin: "https://social.choir.example",
				owner: { username: "anna", email: "anna@choir.example" },
				secrets: ["password", "vapid"],
				buckets: { media: { public: true } },
				records: { social: { name: "social.choir.example", type: "A", ttl: 300, values: null } },
				probe: null,
			},
		},
		...more,
	};
}
