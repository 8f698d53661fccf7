import type { InputsOf } from "#protocol/nixops4/resources.ts";
import type { Context, Resource } from "./resource.ts";

/** Says that a step of the deployment's job begins or is done, at the moment when NixOps4 comes to it. */
export class Progress implements Resource<"progress"> {
	nameOf({ service, step, event }: InputsOf<"progress">): string {
		return [service, step, event].filter((part) => part !== null).join(" ");
	}

	async apply({ step, service, event }: InputsOf<"progress">, { heard }: Context) {
		heard({ kind: "step", step, service, event });
		return { step };
	}
}
