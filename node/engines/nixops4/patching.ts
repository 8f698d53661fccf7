import { applyPatch } from "rfc6902";
import type { Patch } from "#protocol/nixops4/messages.ts";
import { NixopsState, RecordedComposite, RecordedResource } from "#protocol/nixops4/state.ts";

/** A patch that was made for another document than the one there is. */
export class Unfit extends Error {
	override readonly name = "Unfit";
}

/**
 * Changes the document by the patch, RFC 6902, and more strictly: nothing is added where something is, and what comes
 * out must be a state that NixOps4 reads. Throws Unfit; the document is then useless, it may be changed half-way.
 */
export function patched(document: NixopsState, patch: Patch): void {
	for (const operation of patch) {
		const keys = keysOf(operation.path);
		if (keys.length === 0 || keys[0] === "_type") throw new Unfit(`${operation.op} of the whole document`);
		if (keys.some((key) => ["__proto__", "constructor", "prototype"].includes(key)))
			throw new Unfit(`there can be nothing called ${operation.path}`);
		if (operation.op === "add" && isThere(document, keys)) throw new Unfit(`${operation.path} is there already`);
		const [failure] = failures(document, [operation]);
		if (failure) throw new Unfit(`${operation.op} ${operation.path}: ${failure.message}`);
		check(document, keys);
	}
}

function failures(document: NixopsState, patch: Patch): (Error | null)[] {
	try {
		return applyPatch(document, patch);
	} catch (error) {
		return [error as Error];
	}
}

function keysOf(path: string): string[] {
	return path
		.split("/")
		.slice(1)
		.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Of arrays' members nothing is said: something added moves the rest. */
function isThere(document: unknown, keys: readonly string[]): boolean {
	const parent = keys.slice(0, -1).reduce(member, document);
	return !Array.isArray(parent) && member(parent, keys.at(-1) ?? "") !== undefined;
}

function member(parent: unknown, key: string): unknown {
	if (typeof parent !== "object" || parent === null || !Object.hasOwn(parent, key)) return undefined;
	return (parent as Record<string, unknown>)[key];
}

/** Only what the change could have broken is looked at: the resource it is in, or the composite around it. */
function check(document: NixopsState, keys: readonly string[]): void {
	const { value, schema } = touched(document, keys, NixopsState);
	const { error } = value === undefined ? {} : schema.safeParse(value);
	if (error) throw new Unfit(`/${keys.join("/")} would make it no state: ${error.issues[0]?.message}`);
}

interface Touched {
	/** Undefined: it was removed. */
	readonly value: unknown;
	readonly schema: typeof NixopsState | typeof RecordedComposite | typeof RecordedResource;
}

function touched(composite: unknown, keys: readonly string[], schema: Touched["schema"]): Touched {
	const [kind = "", name, ...more] = keys;
	if (name === undefined || !["resources", "deployments"].includes(kind)) return { value: composite, schema };
	const value = member(member(composite, kind), name);
	if (kind === "resources") return { value, schema: RecordedResource };
	return more.length === 0 ? { value, schema: RecordedComposite } : touched(value, more, RecordedComposite);
}
