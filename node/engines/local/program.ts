import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Problem } from "#protocol/problem.ts";
import type { Program, Recipe, Workshop } from "./recipe.ts";

/** A program that somebody must have put on this machine, since nobody publishes it in a way that works everywhere. */
export interface Installed {
	/** As people call it. */
	readonly title: string;
	readonly program: string;
	/** A folder that comes with it, by the places where it can be, seen from the program's own folder. */
	readonly folder?: { readonly name: string; readonly places: readonly string[] };
}

/**
 * Finds a program in the cache as `<program>/<program>`, else on the search path; with what comes beside it, without
 * which it would start and then serve half of its pages.
 */
export function installed(wanted: Installed): Pick<Recipe, "able" | "find" | "obtain" | "obtainSeconds"> {
	const { title, program, folder } = wanted;
	const fix = `put \`${program}\` on its search path${folder ? ` and its folder \`${folder.name}\` beside it` : ""}`;
	const find: Recipe["find"] = async (shop) => {
		const path = await pathOf(program, shop);
		const found = path && { path, folder: dirname(path) };
		return found && (!folder || beside(found, folder.places)) ? found : undefined;
	};
	return {
		obtainSeconds: 1,
		find,
		async able(shop) {
			if (await find(shop)) return { can: true };
			const why = `${title} is not installed on this node; ${fix}`;
			return { can: false, code: "needs-program", missing: program, why };
		},
		async obtain(shop) {
			const found = await find(shop);
			if (!found) throw new Problem("program-missing", { program: title, fix });
			return found;
		},
	};
}

/** The first of these folders that is there. */
export function beside({ path }: Pick<Program, "path">, places: readonly string[]): string | undefined {
	return places.map((place) => resolve(dirname(path), place)).find((folder) => existsSync(folder));
}

/** Where it really lies: what is beside it is found from there, and its own user must be let in there. */
async function pathOf(program: string, shop: Workshop): Promise<string | undefined> {
	const cached = await shop.kept(program);
	const own = cached && join(cached, program);
	const path = own && existsSync(own) ? own : await shop.which(program);
	return path && realpathSync(path);
}
