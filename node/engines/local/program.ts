import { Problem } from "#protocol/problem.ts";
import type { Recipe } from "./recipe.ts";

/** How to find a program that somebody must have installed, since we do not know how to fetch it. */
export function fromPath(program: string, fix: string): Pick<Recipe, "able" | "find" | "obtain" | "obtainSeconds"> {
	const find: Recipe["find"] = async (shop) => {
		const path = await shop.which(program);
		return path ? { path } : undefined;
	};
	return {
		obtainSeconds: 1,
		find,
		able: async (shop) =>
			(await find(shop)) ? { can: true } : { can: false, code: "needs-program", missing: program, why: fix },
		obtain: async (shop) => {
			const found = await find(shop);
			if (!found) throw new Problem("program-missing", { program, fix });
			return found;
		},
	};
}
