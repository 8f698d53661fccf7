/** Evaluates a root as NixOps4's evaluator does, with a real Nix; part of the stand-in. */
import { execFile } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { promisify, stripVTControlCharacters } from "node:util";

const run = promisify(execFile);

export type Path = readonly string[];
export type Values = Record<string, unknown>;

/** A resource as it stands in the root now: inputs that need outputs not known yet are missing. */
export interface Found {
	readonly path: Path;
	readonly provider: { readonly executable: string; readonly args: readonly string[] };
	readonly type: string;
	readonly state: Path | null;
	readonly names: readonly string[];
	readonly inputs: Values;
}

interface Tree {
	readonly [name: string]: {
		readonly members?: Tree;
		readonly resource?: Omit<Found, "path" | "inputs"> & { readonly inputs: Record<string, { value?: unknown }> };
	};
}

/** Why an input cannot be told: an output of this resource is needed first, or the expression is wrong. */
export type Reason = { readonly needs: Path } | { readonly error: string };

export class Evaluator {
	readonly #nix: string;
	readonly #file: string;
	readonly #known: string;
	readonly #outputs: Record<string, Values> = {};
	/** How often something has become known. */
	known = 0;

	/** `known` is a file of its own in which outputs are handed to Nix. */
	constructor(nix: string, file: string, known: string) {
		this.#nix = nix;
		this.#file = file;
		this.#known = known;
		this.#write();
	}

	know(path: Path, outputs: Values): void {
		this.#outputs[path.join(".")] = outputs;
		this.known++;
		this.#write();
	}

	/** All resources, with all inputs that can be told by now. */
	async resources(): Promise<Found[]> {
		const tree = await this.#evaluated<Tree>(`
			let try = value: let tried = builtins.tryEval (builtins.deepSeq value value); in if tried.success then { inherit (tried) value; } else { };
			walk = builtins.mapAttrs (_: member: if member ? resource
				then { resource = { inherit (member.resource) provider type state; names = builtins.attrNames member.resource.inputs; inputs = builtins.mapAttrs (_: try) member.resource.inputs; }; }
				else { members = walk member.members; });
			in walk export.members`);
		return flat(tree, []);
	}

	/** Names of the members at a path. */
	async members(path: Path): Promise<string[]> {
		return this.#evaluated(`builtins.attrNames ${at(path)}.members`);
	}

	async reason(path: Path, input: string): Promise<Reason> {
		try {
			await this.#evaluated(`builtins.deepSeq ${at(path)}.resource.inputs.${JSON.stringify(input)} true`);
			return { error: "it can be told now" };
		} catch (error) {
			const text = String((error as Error).message);
			const [, needs] = /@@NEEDS (.*?)@@/.exec(text) ?? [];
			return needs ? { needs: needs.split(".") } : { error: text };
		}
	}

	#write(): void {
		writeFileSync(`${this.#known}.new`, JSON.stringify(this.#outputs));
		renameSync(`${this.#known}.new`, this.#known);
	}

	async #evaluated<Value>(expression: string): Promise<Value> {
		const whole = `let
			known = builtins.fromJSON (builtins.readFile ${this.#known});
			outputs = path: members: builtins.mapAttrs (name: member:
				let here = path ++ [ name ]; key = builtins.concatStringsSep "." here; in
				if member ? resource
				then builtins.mapAttrs (output: _:
					if known ? \${key}
					then known.\${key}.\${output} or (throw "Resource \${key} does not have output \${output}")
					else throw "@@NEEDS \${key}@@") member.resource.outputsSkeleton
				else outputs here member.members) members;
			root = import ${this.#file};
			export = assert root._type == "nixops4Component";
				root.rootFunction { resourceProviderSystem = builtins.currentSystem; outputValues = outputs [ ] export.members; };
			in ${expression}`;
		const features = ["--extra-experimental-features", "nix-command flakes"];
		const how = ["--offline", "--store", "dummy://", "eval", "--impure", "--json", "--expr", whole];
		const { stdout } = await run(this.#nix, [...features, ...how], { maxBuffer: 256 * 2 ** 20 }).catch((error) => {
			// In colours, whatever is asked for.
			const text = stripVTControlCharacters(String(error.stderr ?? error.message)).trim();
			throw new Error(`Evaluation error: ${text.replaceAll(/^( *)error:/gm, "$1\u001b[31;1merror:\u001b[0m")}`);
		});
		return JSON.parse(stdout) as Value;
	}
}

function at(path: Path): string {
	return ["export", ...path.map((name) => `members.${JSON.stringify(name)}`)].join(".");
}

function flat(tree: Tree, path: Path): Found[] {
	return Object.entries(tree).flatMap(([name, { members, resource }]) => {
		const here = [...path, name];
		if (!resource) return flat(members ?? {}, here);
		const told = Object.entries(resource.inputs).filter(([, input]) => "value" in input);
		return [{ ...resource, path: here, inputs: Object.fromEntries(told.map(([key, { value }]) => [key, value])) }];
	});
}
