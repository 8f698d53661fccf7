import { stat } from "node:fs/promises";
import type { Report } from "../engine.ts";
import type { Program, Recipe, Workshop } from "./recipe.ts";

/** What programs say of their versions, each asked once until its file changes. */
export class Versions {
	readonly #known = new Map<string, Promise<string | undefined>>();

	/** Undefined: the program is not here yet, or does not say. */
	async of(recipe: Recipe, shop: Workshop): Promise<string | undefined> {
		const program = await recipe.find(shop);
		if (program?.version) return upstream(program.version);
		const command = program && recipe.versionCommand?.(program);
		if (!program || !command) return undefined;
		const { mtimeMs } = await stat(program.path);
		const key = `${program.path} ${mtimeMs}`;
		const asked = this.#known.get(key) ?? said(command, program, shop);
		this.#known.set(key, asked);
		return asked;
	}
}

/** As its makers count, without what a distribution adds (deb-version(7)): 13.0.1-1~bpo12+1 is 13.0.1. */
export function upstream(version: string): string {
	return version.replace(/^\d+:/, "").replace(/[-~+].*$/, "");
}

async function said(
	command: readonly [string, ...string[]],
	{ env }: Program,
	shop: Workshop,
): Promise<string | undefined> {
	const report: Report = { signal: AbortSignal.timeout(5000), progress: () => {}, log: () => {} };
	const output = await shop.run(command, report, { quiet: true, ...(env && { env }) }).catch(() => "");
	const found = /\b\d+(\.\d+)+[\w.~+:-]*/.exec(output)?.[0];
	return found && upstream(found);
}
