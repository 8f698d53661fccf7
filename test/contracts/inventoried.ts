import { changesSince, type Listed } from "../../node/transfer/changes.ts";
import { fileOf, takeInventory } from "../../node/transfer/inventory.ts";
import { ListingFile } from "../../node/transfer/lines.ts";
import type { Listing, Source } from "../../node/volumes/volume.ts";
import { never } from "./round.ts";

export interface Inventoried {
	readonly folder: string;
	readonly round: number;
	readonly before: Listed | undefined;
}

/** The listing of a tree as the transfer has it: in a file, with what it has otherwise than the one before. */
export async function inventoried(
	from: Source,
	{ folder, round, before }: Inventoried,
): Promise<{ listing: Listing; listed: Listed }> {
	const sources = [{ service: "a", name: "data", kind: "directory" as const, source: from }];
	const { volumes } = await takeInventory({ sources, round, final: false, folder, signal: never });
	const [volume] = volumes as [Listed["volume"]];
	const listed = { file: fileOf(folder, volume.listing), volume };
	const all = before && (await changesSince(before, listed));
	const changes = all && before && { since: before.volume.listing, all };
	return { listing: new ListingFile(listed.file, volume, changes), listed };
}
