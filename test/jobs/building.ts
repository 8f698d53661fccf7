import type { Saga, Work } from "../../node/jobs/saga.ts";

export type Site = {
	/** What stands. */
	house: Set<string>;
	/** The part that cracks while it is built, and the one that cannot be taken down. */
	broken: { part?: string | undefined; undo?: string | undefined };
	/** Called while a part is half built, or half taken down. */
	during?: (what: `${"do" | "undo"} ${string}`, work: Work) => unknown;
};

export const parts = ["ground", "walls", "roof"];

/** A house is built part by part, each on the one before, and taken down from the top. */
export function building(pivot?: string): Saga<{ built: number }, Site> {
	const step = (part: string, before: number) => ({
		verb: "build",
		title: `Build the ${part}`,
		seconds: 60,
		...(part === pivot && { pivot: true as const }),
		do: async ({ built }: { built: number }, { house, broken, during }: Site, work: Work) => {
			if (built !== before) throw new Error(`the ${part} is built on ${built} parts`);
			house.add(part);
			await during?.(`do ${part}`, work);
			if (broken.part === part) throw new Error(`the ${part} cracked`);
			return { built: built + 1 };
		},
		undo: async (_: object, { house, broken, during }: Site, work: Work) => {
			await during?.(`undo ${part}`, work);
			if (broken.undo === part) throw new Error(`the ${part} is jammed`);
			if (parts.slice(before + 1).some((above) => house.has(above))) throw new Error(`the ${part} still carries`);
			house.delete(part);
		},
	});
	return { name: "building", steps: () => Object.fromEntries(parts.map((part, n) => [part, step(part, n)])) };
}
