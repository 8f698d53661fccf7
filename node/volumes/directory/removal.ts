import { chmodSync, lstatSync, rmdirSync, unlinkSync } from "node:fs";
import { basename, dirname } from "node:path";
import { Pace } from "../pace.ts";
import { Folders, isGone } from "./folders.ts";
import { at, folderOf, nameOf } from "./name.ts";
import { namesIn } from "./walk.ts";

/** Removes whole trees, however deep and long, without following a link and without keeping others from their turn. */
export class Removal {
	readonly #pace = new Pace();

	/** Removes whatever is at this path of the node's own. Nothing there is fine. */
	async remove(path: string): Promise<void> {
		const folders = new Folders(dirname(path));
		try {
			await this.removeIn(folders, Buffer.from(basename(path)).toString("latin1"));
		} catch (error) {
			if (!isGone(error)) throw error;
		} finally {
			folders.close();
		}
	}

	/** Removes whatever has this raw path in a tree. Nothing there is fine. */
	async removeIn(folders: Folders, raw: string): Promise<void> {
		const stats = lstatSync(place(folders, raw), { throwIfNoEntry: false });
		if (!stats) return;
		if (!stats.isDirectory()) return unlinkSync(place(folders, raw));
		if ((stats.mode & 0o700) !== 0o700) chmodSync(place(folders, raw), 0o700);
		for (const name of namesIn(folders, raw) ?? []) {
			await this.removeIn(folders, `${raw}/${name}`);
			if (this.#pace.isDue) await this.#pace.rest();
		}
		folders.drop(raw);
		rmdirSync(place(folders, raw));
	}
}

const place = (folders: Folders, raw: string) => at(folders.at(folderOf(raw)), nameOf(raw));
