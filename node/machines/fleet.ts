import { Agent, agentProgram } from "../agent/agent.ts";
import type { Host } from "./host.ts";
import type { Identity } from "./identity.ts";
import type { Machine, Needs } from "./machine.ts";
import type { Machines } from "./machines.ts";
import { Sockets } from "./sockets.ts";
import { Ssh } from "./ssh.ts";

/** Where a secret is, as NixOps4's resources name it. */
interface SecretName {
	readonly deployment: string;
	readonly service: string;
	readonly name: string;
}

/** The machines at work: one connection to each, made when it is needed, and what is done over it. */
export class Fleet {
	readonly machines: Machines;
	readonly identity: Identity;
	readonly #program: readonly string[];
	readonly #sockets: Sockets;
	readonly #agents = new Map<string, { readonly known: string; readonly host: Host; readonly agent: Agent }>();

	/** `program`: how the agent is called there; `sockets`: where those of connections lie, cleaned of what a killed node left. */
	constructor(machines: Machines, identity: Identity, program = agentProgram, sockets = new Sockets()) {
		this.machines = machines;
		this.identity = identity;
		this.#program = program;
		this.#sockets = sockets;
		sockets.clean();
	}

	/** Throws `not-found`. */
	agent(id: string): Agent {
		const { deployment: _, state: __, publicAddress: ___, ...machine } = this.machines.get(id);
		const known = JSON.stringify(machine);
		const open = this.#agents.get(id);
		if (open?.known === known) return open.agent;
		// Staff has removed it and added another one of this name.
		open?.host.close();
		const host = new Known(machine as Machine, this.identity, this.#sockets);
		const agent = new Agent(host, this.#program);
		this.#agents.set(id, { known, host, agent });
		return agent;
	}

	of(deployment: string): Machine | undefined {
		return this.machines.of(deployment);
	}

	/** As the resource `machine` gives it. */
	async reserve(deployment: string, needs: Needs) {
		const { id: name, address, port, user, hostKey, system, ...machine } = this.machines.reserve(deployment, needs);
		return { name, address, publicAddress: machine.publicAddress ?? address, port, user, hostKey, system };
	}

	async release(deployment: string): Promise<void> {
		this.machines.release(deployment);
	}

	async deliver(machine: string, secret: SecretName, value: string, signal: AbortSignal): Promise<void> {
		await this.agent(machine).putSecret(serviceOf(secret), secret.name, value, signal);
	}

	async withdraw(machine: string, secret: SecretName, signal: AbortSignal): Promise<void> {
		await this.agent(machine).removeSecret(serviceOf(secret), secret.name, signal);
	}

	async close(): Promise<void> {
		await Promise.all([...this.#agents.values()].map(({ host }) => host.close()));
		this.#agents.clear();
	}
}

const serviceOf = ({ deployment, service }: SecretName) => `${deployment}/${service}`;

/** By ssh, with the node's own key, which is made before the first connection. */
class Known extends Ssh {
	readonly #identity: Identity;

	constructor(machine: Machine, identity: Identity, sockets: Sockets) {
		super(machine, { identity: identity.file, sockets });
		this.#identity = identity;
	}

	override async start(...asked: Parameters<Ssh["start"]>) {
		await this.#identity.ready();
		return super.start(...asked);
	}
}
