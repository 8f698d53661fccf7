/** Test equipment: the engine of a node with machines of straw, without the rest of the node. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { readConfig } from "../../../node/config.ts";
import type { Plan, Report } from "../../../node/engines/engine.ts";
import type { Nixops4Engine } from "../../../node/engines/nixops4/nixops4-engine.ts";
import { openNixops4Engine } from "../../../node/engines/nixops4/open.ts";
import { States } from "../../../node/engines/nixops4/states.ts";
import { Fleet } from "../../../node/machines/fleet.ts";
import { Identity } from "../../../node/machines/identity.ts";
import { Machines } from "../../../node/machines/machines.ts";
import { SealedVault } from "../../../node/secrets/sealed-vault.ts";
import { serviceNamed } from "../../../node/services/catalogue.ts";
import { Database } from "../../../node/store/database.ts";
import { Straw } from "./straw.ts";

export class StrawNode {
	readonly folder: string;
	readonly straw: Straw;
	readonly db: Database;
	readonly machines: Machines;
	readonly vault: SealedVault;
	readonly states: States;
	/** Of every customer. */
	customerKeys: string[] = [];
	readonly #engines: Nixops4Engine[] = [];

	static async open(count = 1): Promise<StrawNode> {
		const folder = mkdtempSync(join(tmpdir(), "fediversity-straw-"));
		mkdirSync(join(folder, "state"));
		return new StrawNode(folder, await Straw.open(count, join(folder, "key")));
	}

	private constructor(folder: string, straw: Straw) {
		[this.folder, this.straw] = [folder, straw];
		this.db = new Database(join(folder, "node.sqlite"));
		this.vault = new SealedVault(this.db, join(folder, "vault.key"));
		this.machines = new Machines(this.db, Date.now);
		this.states = new States(this.db, Date.now);
		for (const machine of straw.pool) this.machines.add(machine);
		const settings = 'provider.name = "North"\nweb.url = "http://north.example"\nstate.folder = "state"\n';
		writeFileSync(join(folder, "node.toml"), settings + straw.settings);
	}

	/** As a node that has just started has it; those of before are not closed. */
	engine(more: Record<string, string> = {}, runMinutes = 10): Nixops4Engine {
		const environment = { ...process.env, ...this.straw.environment, ...more };
		const keysOf = () => this.customerKeys;
		const engine = engineIn(this.folder, { db: this.db, vault: this.vault, environment, runMinutes, keysOf });
		this.#engines.push(engine);
		return engine;
	}

	/** What its processes are marked with. */
	get nodeId(): string {
		return nodeIdOf(this.folder);
	}

	/** The working folder of a deployment. */
	work(deployment: string): string {
		return join(this.folder, "state/nixops4", deployment);
	}

	async close(): Promise<void> {
		for (const engine of this.#engines) await engine.close();
		await this.straw.close();
		this.db.close();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

interface EngineParts {
	readonly db: Database;
	readonly vault: SealedVault;
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly runMinutes: number;
	/** Of customers; none: nobody has any. */
	readonly keysOf?: (deployment: string) => readonly string[];
}

/** The engine of the node in this folder. */
export function engineIn(
	folder: string,
	{ db, vault, environment, runMinutes, keysOf = () => [] }: EngineParts,
): Nixops4Engine {
	const written = readConfig(join(folder, "node.toml"), {});
	const config = { ...written, engine: { ...written.engine, runMinutes } };
	const fleet = new Fleet(new Machines(db, Date.now), new Identity(config.engine.keyFile));
	return openNixops4Engine({
		...{
			nodeId: nodeIdOf(folder),
			config,
			fleet,
			db,
			vault,
			zone: null,
			guardOf: () => undefined,
			now: Date.now,
			keysOf,
		},
		environment: { ...environment, TMPDIR: folder },
	});
}

const nodeIdOf = (folder: string) => `straw-${basename(folder)}`;

export function planFor(deployment: string, services: readonly string[], mode: Plan["mode"] = "serving"): Plan {
	const domain = `${deployment}.example`;
	return {
		...{ deployment, domain, mode },
		services: services.map((name) => {
			const hosts = (serviceNamed(name)?.hosts ?? []).map((label) => `${label}.${domain}`);
			return { name, hosts, origin: `https://${hosts[0]}`, owner: { username: "ada", email: "ada@choir.example" } };
		}),
	};
}

/** What a person would see. */
export class Told implements Report {
	readonly lines: string[] = [];
	readonly fractions: (number | null)[] = [];
	readonly ending = new AbortController();
	readonly signal = this.ending.signal;

	progress(fraction: number | null): void {
		this.fractions.push(fraction);
	}

	log(line: string): void {
		this.lines.push(line);
	}
}
