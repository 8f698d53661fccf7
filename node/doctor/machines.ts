import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import type { Carrying } from "../machines/machine.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

/** What `doctor` needs of the provider's machines. */
export interface Pool {
	all(): readonly Carrying[];
	/** Goes there. Never throws what a person can mend. */
	check(machine: Carrying): Promise<readonly Finding[]>;
	/** `nixops4` or `nix`, if it is not installed. */
	missing(): Promise<string | null>;
}

/** For one machine, ms; less than what the whole look may take. */
const patience = 6000;

const installed: Readonly<Record<string, string>> = {
	nixops4: "nix profile install github:nixops4/nixops4, or name it in engine.program",
	nix: "See https://nixos.org/download, or run this node on NixOS (specs/nixos.md)",
};

/** Whether services can be set up on machines; nothing where another engine runs them. Tells of each machine what is wrong there. */
export async function machines({ engine }: Config, pool: Pool | undefined): Promise<Finding[]> {
	if (engine.kind !== "nixops4" || !pool) return [];
	const missing = await pool.missing();
	const all = pool.all();
	const looks = await Promise.all(all.map(async (machine) => [machine, await soon(pool.check(machine))] as const));
	return [
		missing === null
			? good("nixops4", "NixOps4 and Nix are here")
			: bad("nixops4", `${missing} is not installed`, installed[missing] ?? `Install ${missing}`),
		...keyOf(engine.keyFile, all),
		room(all),
		...looks.flatMap(([{ id }, found]) => troubles(id, found)),
	];
}

/** One that is silent keeps nobody from hearing of the others. */
async function soon(look: Promise<readonly Finding[]>): Promise<readonly Finding[]> {
	let timer: NodeJS.Timeout | undefined;
	const silence = bad("reached", `It does not answer within ${patience / 1000} seconds`, "Start it, and its sshd");
	const late = new Promise<readonly Finding[]>((over) => {
		timer = setTimeout(() => over([silence]), patience);
	});
	try {
		return await Promise.race([look, late]);
	} finally {
		clearTimeout(timer);
	}
}

/** It is made with the first machine; later a missing one would be another one, which no machine knows. */
function keyOf(file: string, all: readonly Carrying[]): Finding[] {
	if (all.length === 0 || existsSync(file)) return [];
	const fix = "Bring it back from your backup; or put what fediversity machine key prints on every machine";
	return [bad("machine-key", `${file}, by which machines know this node, is missing`, fix)];
}

function room(all: readonly Carrying[]): Finding {
	const add = "Add one: fediversity machine add";
	if (all.length === 0) return bad("machines", "There is no machine in the pool", add);
	const free = all.filter(({ deployment, state }) => deployment === null && state === "open").length;
	const said = `${free} of ${all.length} machines are free`;
	return free > 0 ? good("machines", said) : warning("machines", `${said}: nothing more can be deployed`, add);
}

function troubles(id: string, found: readonly Finding[]): Finding[] {
	const wrong = found.filter(({ state }) => state !== "good");
	if (wrong.length === 0) return [good(`machine:${id}`, found.map(({ detail }) => detail).join("; "))];
	return wrong.map(({ check, detail, ...rest }) => ({
		...rest,
		check: `machine:${id}`,
		detail: `${check}: ${detail}`,
	}));
}
