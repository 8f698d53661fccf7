import { hashLength, piecesIn } from "../piece.ts";
import type { Entry } from "../volume.ts";
import { checkSymlink, comesBefore, folderOf, rawOf, rawPathOf, unfit } from "./name.ts";

/**
 * Looks at a listing's entries one by one, whoever wrote it, and refuses what could lead out of its tree or means nothing.
 * Entries come in the order of a walk through the tree, names by their bytes, so that none can come twice and each lies
 * in a folder that was listed as one: this takes no memory, however long the listing.
 */
export class Inspection {
	#last = "";
	/** Folders around what came last, outermost first; the tree's own is the empty one. */
	readonly #around: string[] = [""];
	readonly #leave: (raw: string) => Promise<void>;

	/** `leave` is told of each folder once everything in it has come. */
	constructor(leave: (raw: string) => Promise<void> = async () => {}) {
		this.#leave = leave;
	}

	/** The raw path of this entry, if it may come now. */
	async admit(entry: Entry): Promise<string> {
		const raw = rawPathOf(entry.path, this.#around.at(-1));
		if (!comesBefore(this.#last, raw)) throw unfit(entry.path, "it is not listed in its order, or twice");
		this.#last = raw;
		const folder = folderOf(raw);
		while (this.#around.at(-1) !== folder) {
			if (this.#around.length === 1) throw unfit(entry.path, "it does not lie in a folder that is listed");
			await this.#leave(this.#around.pop() as string);
		}
		checkKind(entry, raw);
		checkLook(entry);
		if (entry.type === "folder") this.#around.push(raw);
		return raw;
	}

	/** To be called when nothing more comes. */
	async end(): Promise<void> {
		while (this.#around.length > 0) await this.#leave(this.#around.pop() as string);
	}
}

/** The raw path of an entry in whose place somebody has looked already. */
export function admitted(entry: Entry): string {
	const raw = rawPathOf(entry.path);
	checkKind(entry, raw);
	checkLook(entry);
	return raw;
}

function checkKind(entry: Entry, raw: string): void {
	const { path, type, size, pieces, target } = entry;
	if (type === "file") {
		if (!Number.isSafeInteger(size) || size < 0 || pieces.length !== piecesIn(size))
			throw unfit(path, "its size and its pieces do not fit together");
		if (pieces.some((piece) => piece.length !== hashLength))
			throw unfit(path, "its pieces are not named as they should be");
		return;
	}
	if (size !== 0 || pieces.length > 0) throw unfit(path, `a ${type} has no content`);
	if (type === "symlink") checkSymlink(raw, rawOf(target ?? ""));
	else if (type !== "folder" && type !== "hardlink") throw unfit(path, `a folder holds no ${type}`);
	if (type === "hardlink" && !comesBefore(rawPathOf(target ?? ""), raw))
		throw unfit(path, "what it is another name of is not listed before it");
}

function checkLook({ path, mode, modified }: Entry): void {
	if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= 0o7777))
		throw unfit(path, "its mode is none");
	if (modified !== undefined && !/^-?\d{1,19}$/.test(modified)) throw unfit(path, "its time of change is none");
}
