import type { Agent } from "../../agent/agent.ts";
import type { Site } from "./planned.ts";
import type { MachinePool, SecretName } from "./resources/resource.ts";
import type { Runs } from "./runs.ts";
import type { States } from "./states.ts";

export interface Nixops4EngineOptions {
	readonly nodeId: string;
	/** Holds a working folder for each deployment. */
	readonly folder: string;
	readonly site: Site;
	/** `nixops4`, as a path or a name on PATH; with what else it needs to run. */
	readonly program: string;
	readonly environment: Readonly<Record<string, string>>;
	/** The directory with the Nix code of the root. */
	readonly root: string;
	/** Of the key by which machines know this node. */
	readonly publicKey: () => Promise<string>;
	/** Where the machines' web servers listen for the gateway. */
	readonly webPort: number;
	/** How long a service may take until it first answers, seconds. */
	readonly readySeconds: number;
	/** Most that one run may take, seconds. */
	readonly deadline: number;
	/** Called once, when the first run is near: what it takes is heavy to load. */
	readonly workings: () => Promise<Workings>;
	readonly machines: Machines;
	/** Whether `nixops4` and `nix` are here; the missing one's name if not. */
	missing(): Promise<string | null>;
	/** Of the services as `root` brings them. */
	versions(): Promise<Readonly<Record<string, string>>>;
}

/** The node's side of what NixOps4 asks for, and what it has told of. */
export interface Workings {
	readonly runs: Pick<Runs, "open" | "close">;
	readonly states: Pick<States, "remove">;
	/** Puts a secret on a machine as the vault has it now. */
	deliver(machine: string, secret: SecretName, signal: AbortSignal): Promise<void>;
}

/** What the engine needs of the provider's machines beside what NixOps4's resources do. */
export interface Machines extends Pick<MachinePool, "reserve" | "release"> {
	/** The machine that a deployment has; undefined: none. */
	of(deployment: string): ReservedMachine | undefined;
	agent(machine: string): Agent;
	close(): Promise<void>;
}

export interface ReservedMachine {
	readonly id: string;
	readonly address: string;
	/** Where everybody else reaches it; null: there too. */
	readonly publicAddress: string | null;
	/** Of its sshd. */
	readonly port: number;
}
