import type { InputsOf, OutputsOf } from "#protocol/nixops4/resources.ts";
import type { Context, MachinePool, Resource } from "./resource.ts";

const nothing = { name: "none", address: "", publicAddress: "", port: 22, user: "", hostKey: "", system: "" };

/** One machine of the provider's pool, the deployment's own while it has it. */
export class Machine implements Resource<"machine"> {
	readonly #machines: MachinePool;

	constructor(machines: MachinePool) {
		this.#machines = machines;
	}

	nameOf(): string {
		return "machine";
	}

	async apply(inputs: InputsOf<"machine">, { deployment }: Context, past: OutputsOf<"machine"> = nothing) {
		const { memoryMiB, diskMiB, system } = inputs;
		if (inputs.ensure === "present") return this.#machines.reserve(deployment, { memoryMiB, diskMiB, system });
		await this.#machines.release(deployment);
		return past;
	}
}
