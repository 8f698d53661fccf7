import type { InputsOf } from "#protocol/nixops4/resources.ts";
import type { Vault } from "../../../secrets/vault.ts";
import { type Context, type MachinePool, pathOf, type Resource, referenceTo, type SecretName } from "./resource.ts";

/** How a secret comes into being that the vault does not have yet. */
export type MakeSecret = (secret: SecretName) => string | Promise<string>;

/** A secret of the vault, made when it is first needed, and put on its machine by the node itself. Its value stays out of NixOps4. */
export class Secret implements Resource<"secret"> {
	readonly #vault: Vault;
	readonly #machines: MachinePool;
	readonly #make: MakeSecret;

	constructor(vault: Vault, machines: MachinePool, make: MakeSecret) {
		this.#vault = vault;
		this.#machines = machines;
		this.#make = make;
	}

	nameOf({ service, name }: InputsOf<"secret">): string {
		return `${service}/${name}`;
	}

	/** `absent` takes it from the machine; what the vault has goes when the deployment is erased. */
	async apply({ service, name, machine, ensure }: InputsOf<"secret">, { deployment, signal }: Context) {
		const secret = { deployment, service, name };
		if (ensure === "present") {
			const value = await this.#vault.obtain(`${deployment}/${service}/${name}`, () => this.#make(secret));
			if (machine !== null) await this.#machines.deliver(machine, secret, value, signal);
		} else if (machine !== null) await this.#machines.withdraw(machine, secret, signal);
		return { reference: referenceTo(secret), path: pathOf(secret) };
	}
}
