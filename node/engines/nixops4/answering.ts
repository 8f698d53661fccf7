import { getLogger } from "@logtape/logtape";
import type * as z from "zod";
import { type Answer, type ExtantResource, Request } from "#protocol/nixops4/messages.ts";
import {
	type InputsOf,
	inputs,
	type OutputsOf,
	outputs,
	type ResourceType,
	stateful,
} from "#protocol/nixops4/resources.ts";
import { Problem } from "#protocol/problem.ts";
import { Unfit } from "./patching.ts";
import { type Context, Refused, type Resource, type Resources } from "./resources/resource.ts";
import type { States } from "./states.ts";

const log = getLogger(["fediversity", "nixops4"]);

/** Answers NixOps4's requests to our provider, each for the deployment whose run it comes from. */
export class Answering {
	readonly #states: States;
	readonly #resources: Resources;

	constructor(states: States, resources: Resources) {
		this.#states = states;
		this.#resources = resources;
	}

	/** One line for one line. Never throws: what cannot be done is an answer too. */
	async answer(line: string, context: Context): Promise<Answer> {
		try {
			return await this.#carriedOut(requestIn(line), context);
		} catch (error) {
			return { errorResponse: { message: inWords(error as Error, context) } };
		}
	}

	async #carriedOut(request: Request, context: Context): Promise<Answer> {
		if ("createResourceRequest" in request) {
			const { type, inputProperties, isStateful } = request.createResourceRequest;
			if (!isStateful && stateful.some((one) => one === type))
				throw new Refused(`A ${type} must be kept in a state; give it one (state = members.state)`);
			return { createResourceResponse: { outputProperties: await this.#applied(type, inputProperties, context) } };
		}
		if ("updateResourceRequest" in request) {
			const { resource, inputProperties } = request.updateResourceRequest;
			const outputProperties = await this.#applied(resource.type, inputProperties, context, resource);
			return { updateResourceResponse: { outputProperties } };
		}
		if ("stateResourceReadRequest" in request) {
			checkState(request.stateResourceReadRequest.resource, context);
			return { stateResourceReadResponse: { state: this.#states.read(context.deployment) as Json } };
		}
		const { resource, event, patch } = request.stateResourceEvent;
		checkState(resource, context);
		this.#states.add(context.deployment, event, patch);
		return { stateResourceEventResponse: {} };
	}

	async #applied(type: string, given: unknown, context: Context, past?: ExtantResource): Promise<Json> {
		if (type === "state") return checkState({ type, inputProperties: given as Json }, context);
		const resource = Object.hasOwn(this.#resources, type)
			? (this.#resources[type as keyof Resources] as Resource<ResourceType>)
			: undefined;
		if (!resource) throw new Refused(`There is no resource type ${type}`);
		const known = type as ResourceType;
		const wanted = checked<InputsOf<ResourceType>>(inputs[known], given, `inputs of this ${type}`);
		const name = resource.nameOf(wanted);
		// Not checked: an older node may have recorded it, with other inputs.
		const before = past && resource.nameOf(past.inputProperties as InputsOf<ResourceType>);
		if (before !== undefined && before !== name)
			throw new Refused(`${before} cannot become ${name}; make a new ${type} and take the old one away`);
		const gave = past?.outputProperties as OutputsOf<ResourceType> | undefined;
		return this.#told(known, name, context, () => resource.apply(wanted, context, gave));
	}

	async #told(type: ResourceType, name: string, { heard, signal }: Context, work: () => Promise<unknown>) {
		const tell = (event: "begun" | "done" | "failed", why: { problem?: Problem } = {}) =>
			heard({ kind: "resource", type, name, event, ...why });
		if (type !== "progress") tell("begun");
		try {
			const gives = outputs[type].parse(await work()) as Json;
			if (type !== "progress") tell("done");
			return gives;
		} catch (error) {
			// What was only told to stop has no reason of its own.
			tell("failed", error instanceof Problem && !signal.aborted ? { problem: error } : {});
			throw error;
		}
	}
}

type Json = Record<string, z.core.util.JSONType>;

function requestIn(line: string): Request {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch {
		throw new Refused("This is not JSON");
	}
	return checked(Request, value, "request");
}

function checkState({ type, inputProperties }: ExtantResource, { deployment }: Context): Json {
	if (type !== "state") throw new Refused(`A ${type} keeps no state`);
	const { deployment: meant } = checked<InputsOf<"state">>(inputs.state, inputProperties, "inputs of this state");
	if (meant !== deployment) throw new Refused(`This run may not work with the state of ${meant}`);
	return {};
}

function checked<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
	const { data, error } = schema.safeParse(value);
	if (!error) return data;
	const [first] = error.issues;
	throw new Refused(
		`The ${what} cannot be used: ${[first?.path.join("."), first?.message].filter(Boolean).join(": ")}`,
	);
}

function inWords(error: Error, { deployment }: Context): string {
	if (error instanceof Problem || error instanceof Refused) return error.message;
	if (error instanceof Unfit)
		return `The state has changed since it was read, so this was not recorded; run it again (${error.message})`;
	log.warning("A request in the run of {deployment} failed: {error}", { deployment, error });
	return `The node could not do this: ${error.message}`;
}
