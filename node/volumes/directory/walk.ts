import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { type Folders, isGone } from "./folders.ts";
import { at, permitted } from "./name.ts";

/** What a walk comes by. `prefix` and `name` are good until the walk goes on. */
export interface Found {
	readonly raw: string;
	readonly name: string;
	readonly prefix: string;
	readonly stats: BigIntStats;
}

/** Everything in a folder and below, in the order of a listing; what vanishes meanwhile is passed to `missed`. */
export function* walk(folders: Folders, missed: (raw: string) => void, raw = ""): Generator<Found> {
	const names = namesIn(folders, raw);
	if (names === undefined) return missed(raw);
	let prefix = folders.at(raw);
	for (const name of names) {
		const path = raw === "" ? name : `${raw}/${name}`;
		const stats = lstatSync(at(prefix, name), { bigint: true, throwIfNoEntry: false });
		if (!stats) missed(path);
		else if (!stats.isDirectory()) yield { raw: path, name, prefix, stats };
		else {
			if (!canEnter(folders, path)) missed(path);
			else {
				yield { raw: path, name, prefix: folders.at(raw), stats };
				yield* walk(folders, missed, path);
			}
			prefix = folders.at(raw);
		}
	}
}

/** Names in a folder in the order of a listing: by their bytes. */
export function namesIn(folders: Folders, raw: string): string[] | undefined {
	try {
		return permitted(raw, () => readdirSync(folders.at(raw), { encoding: "latin1" })).sort();
	} catch (error) {
		if (isGone(error)) return undefined;
		throw error;
	}
}

function canEnter(folders: Folders, raw: string): boolean {
	try {
		permitted(raw, () => folders.at(raw));
		return true;
	} catch (error) {
		if (isGone(error)) return false;
		throw error;
	}
}
