import type { InputsOf, OutputsOf, ResourceType } from "#protocol/nixops4/resources.ts";
import type { Problem } from "#protocol/problem.ts";

/** What NixOps4 asks for and we do not do, in a sentence that says why. */
export class Refused extends Error {
	override readonly name = "Refused";
}

/** What happens in a run, as it happens. */
export type RunEvent =
	| { readonly kind: "step"; readonly step: string; readonly service: string | null; readonly event: "begun" | "done" }
	| {
			readonly kind: "resource";
			readonly type: ResourceType;
			/** What it is called in the world. */
			readonly name: string;
			readonly event: "begun" | "done" | "failed";
			/** Why it failed, where that is known in plain words. */
			readonly problem?: Problem;
	  };

/** In which run a resource is worked on. */
export interface Context {
	readonly deployment: string;
	/** The customer's; records of other domains are refused. */
	readonly domain: string;
	/** Nobody waits for the answer any more. What is half done may be ended, and what only waits stops waiting. */
	readonly signal: AbortSignal;
	readonly heard: (event: RunEvent) => void;
}

/** One resource type of our provider. Doing the same again changes nothing, also after it was cut off half-way. */
export interface Resource<Type extends ResourceType> {
	/** What it is called in the world: an update cannot give it another name, and creating it again finds it. */
	nameOf(inputs: InputsOf<Type>): string;
	/** Makes it as it should be, or with `ensure = "absent"` makes sure that there is none. `past`: what it gave before. */
	apply(inputs: InputsOf<Type>, context: Context, past?: OutputsOf<Type>): Promise<OutputsOf<Type>>;
}

/** All of them. */
export type Resources = { readonly [Type in Exclude<ResourceType, "state">]: Resource<Type> };

/** Where a secret is. */
export interface SecretName {
	readonly deployment: string;
	readonly service: string;
	readonly name: string;
}

/** A machine that is a deployment's for now. */
export type ReservedMachine = OutputsOf<"machine">;

/** What resources need of the provider's machines. */
export interface MachinePool {
	/** A machine for this deployment alone, the same one when asked again. Throws a Problem when none is free. */
	reserve(
		deployment: string,
		needs: { readonly memoryMiB: number; readonly diskMiB: number; readonly system: string },
	): Promise<ReservedMachine>;
	/** It is the deployment's no more. Twice is fine. */
	release(deployment: string): Promise<void>;
	/** Puts a secret where services on the machine find it, in place of what is there. */
	deliver(machine: string, secret: SecretName, value: string, signal: AbortSignal): Promise<void>;
	/** Takes it from there. Twice is fine. */
	withdraw(machine: string, secret: SecretName, signal: AbortSignal): Promise<void>;
}

/** How a secret is spoken of where its value may not stand. */
export function referenceTo({ deployment, service, name }: SecretName): string {
	return `fediversity:${deployment}/${service}/${name}`;
}

/** Where its machine has it. */
export function pathOf({ deployment, service, name }: SecretName): string {
	return `/var/lib/fediversity/secrets/${deployment}/${service}/${name}`;
}
