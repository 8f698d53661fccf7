/** What `nixops4 apply` does, in its order and with its ways to fail; part of the stand-in. */
import { isDeepStrictEqual } from "node:util";
import { createPatch } from "rfc6902";
import type { Evaluator, Found, Path, Values } from "./evaluator.ts";
import type { Log } from "./log.ts";
import { ProviderProcess } from "./provider-process.ts";

interface Recorded {
	type: string;
	input_properties: Values;
	output_properties: Values;
}

interface Composite {
	resources?: Record<string, Recorded>;
	deployments?: Record<string, Composite>;
}

type Document = Composite & { _type: string };

interface StateProvider {
	readonly process: ProviderProcess;
	readonly resource: object;
	document: Document;
	/** Events go one at a time. */
	last: Promise<void>;
}

export interface Applied extends Found {
	readonly outputs: Values;
}

/** Failed with what else of its composite still ran; the rest is left behind. */
export class Failed extends Error {}

export class Applying {
	readonly done = new Map<string, Applied>();
	readonly #running = new Map<string, Promise<void>>();
	readonly #states = new Map<string, Promise<StateProvider>>();
	readonly #evaluator: Evaluator;
	readonly #log: Log;
	readonly #failures: { readonly path: Path; readonly error: Failed }[] = [];

	constructor(evaluator: Evaluator, log: Log) {
		this.#evaluator = evaluator;
		this.#log = log;
	}

	/** Applies what `isMeant` says and what that needs; throws Failed for the first failure. */
	async apply(isMeant: (path: Path) => boolean): Promise<void> {
		const meant = new Set<string>();
		for (;;) {
			const { known } = this.#evaluator;
			const all = await this.#evaluator.resources();
			for (const { path } of all) if (isMeant(path)) meant.add(path.join("."));
			if (this.#failures.length > 0) await this.#fail();
			this.#start(all, meant);
			const left = all.filter(({ path }) => meant.has(path.join(".")) && !this.done.has(path.join(".")));
			if (left.length === 0) return;
			if (this.#running.size > 0) await Promise.race(this.#running.values());
			else if (known === this.#evaluator.known) await this.#want(left, meant);
		}
	}

	/** Others in the same composite are awaited, also those that fail meanwhile; whatever else runs is left behind. */
	async #fail(): Promise<never> {
		const [first] = this.#failures;
		const composite = (path: string) => path.split(".").slice(0, -1).join(".");
		const beside = [...this.#running].filter(([key]) => composite(key) === composite(first?.path.join(".") ?? ""));
		await Promise.all(beside.map(([, work]) => work));
		throw first?.error;
	}

	async close(): Promise<void> {
		for (const state of this.#states.values()) await (await state).process.close();
	}

	/** Everything whose inputs are all known, at once and without a limit. */
	#start(all: readonly Found[], meant: Set<string>): void {
		for (const found of all) {
			const key = found.path.join(".");
			if (!meant.has(key) || this.done.has(key) || this.#running.has(key)) continue;
			if (found.names.some((name) => !(name in found.inputs))) continue;
			if (found.state && !this.done.has(found.state.join("."))) {
				meant.add(found.state.join("."));
				continue;
			}
			const work = this.#one(found).finally(() => this.#running.delete(key));
			this.#running.set(key, work);
		}
	}

	/** Nothing can be started: what is needed first is meant too, or something is wrong. */
	async #want(left: readonly Found[], meant: Set<string>): Promise<void> {
		let isMore = false;
		for (const { path, state, names, inputs } of left) {
			if (state) isMore = add(meant, state.join(".")) || isMore;
			const missing = names.find((name) => !(name in inputs));
			if (missing === undefined) continue;
			const reason = await this.#evaluator.reason(path, missing);
			if ("error" in reason) throw new Failed(reason.error);
			isMore = add(meant, reason.needs.join(".")) || isMore;
		}
		if (!isMore) throw new Failed(`Cycle detected: ${left.map(({ path }) => path.join(".")).join(" -> ")}`);
	}

	async #one(found: Found): Promise<void> {
		const span = this.#log.span("Applying composite", `Applying resource{resource=${this.#log.path(found.path)}}`);
		try {
			const outputs = await this.#made(found);
			this.#evaluator.know(found.path, outputs);
			this.done.set(found.path.join("."), { ...found, outputs });
		} catch (error) {
			this.#failures.push({ path: found.path, error: new Failed((error as Error).message) });
		} finally {
			span.close();
		}
	}

	async #made(found: Found): Promise<Values> {
		const name = found.path.join(".");
		const state = found.state && (await this.#state(found.state));
		const past = state ? recorded(state.document, found.path) : undefined;
		if (past && past.type !== found.type)
			throw new Error(`Resource type change is not supported: ${past.type} != ${found.type}`);
		if (past && isDeepStrictEqual(past.input_properties, found.inputs)) {
			this.#log.info(`Skipping update for resource ${name}: inputs unchanged`);
			return past.output_properties;
		}
		const span = this.#log.span(`creating resource{name="${name}"}`);
		const outputs = await this.#asked(found, past, state !== null).finally(() => span.close());
		if (state) await this.#record(state, found, outputs, past ? "update" : "create");
		return outputs;
	}

	async #asked(
		{ provider, type, inputs, path }: Found,
		past: Recorded | undefined,
		isStateful: boolean,
	): Promise<Values> {
		const process = new ProviderProcess(provider);
		const was = past && { type, inputProperties: past.input_properties, outputProperties: past.output_properties };
		const what = past ? "update resource" : isStateful ? "create resource" : "create stateless resource";
		try {
			const { outputProperties } = was
				? await process.ask<Outputs>("updateResourceRequest", "updateResourceResponse", {
						resource: was,
						inputProperties: inputs,
					})
				: await process.ask<Outputs>("createResourceRequest", "createResourceResponse", {
						type,
						inputProperties: inputs,
						isStateful,
					});
			return outputProperties;
		} catch (error) {
			throw new Error(`Failed to ${what} ${path.join(".")}: ${(error as Error).message}`);
		} finally {
			await process.close();
		}
	}

	#state(path: Path): Promise<StateProvider> {
		const key = path.join(".");
		const known = this.#states.get(key);
		if (known) return known;
		const opened = this.#openState(this.done.get(key) as Applied);
		this.#states.set(key, opened);
		return opened;
	}

	async #openState({ provider, type, inputs, outputs }: Applied): Promise<StateProvider> {
		const process = new ProviderProcess(provider);
		const resource = { type, inputProperties: inputs, outputProperties: outputs };
		const { state } = await process.ask<{ state: Document }>("stateResourceReadRequest", "stateResourceReadResponse", {
			resource,
		});
		if (state._type !== "nixopsState") throw new Error("Failed to parse state");
		return { process, resource, document: state, last: Promise.resolve() };
	}

	#record(state: StateProvider, { path, type, inputs }: Found, outputs: Values, event: string): Promise<void> {
		const value = { type, input_properties: inputs, output_properties: outputs };
		state.last = state.last.then(async () => {
			const next = withRecord(state.document, path, value);
			const patch = createPatch(state.document, next);
			const content = { resource: state.resource, event, nixopsVersion: "0.1.0", patch };
			try {
				if (patch.length > 0) await state.process.ask("stateResourceEvent", "stateResourceEventResponse", content);
			} catch (error) {
				throw new Error(
					`Failed to update state for resource '${path.join(".")}' (type: ${type}): ${(error as Error).message}`,
				);
			}
			state.document = next;
		});
		const recording = state.last;
		state.last = recording.catch(() => {});
		return recording;
	}
}

type Outputs = { outputProperties: Values };

function add(set: Set<string>, key: string): boolean {
	return !set.has(key) && Boolean(set.add(key));
}

function recorded(document: Composite, path: Path): Recorded | undefined {
	const composite = path.slice(0, -1).reduce<Composite | undefined>((at, name) => at?.deployments?.[name], document);
	return composite?.resources?.[path.at(-1) ?? ""];
}

function withRecord(document: Document, path: Path, value: Recorded): Document {
	const next = structuredClone(document);
	let composite: Composite = next;
	for (const name of path.slice(0, -1)) {
		composite.deployments ??= {};
		composite = composite.deployments[name] ??= { resources: {}, deployments: {} };
	}
	composite.resources ??= {};
	composite.resources[path.at(-1) ?? ""] = value;
	return next;
}

/** The whole state document at a path, as `nixops4 state dump` reads it. */
export async function dumped(found: Found): Promise<object> {
	const process = new ProviderProcess(found.provider);
	const resource = { type: found.type, inputProperties: found.inputs };
	try {
		const { state } = await process.ask<{ state: object }>("stateResourceReadRequest", "stateResourceReadResponse", {
			resource,
		});
		return state;
	} finally {
		await process.close();
	}
}
