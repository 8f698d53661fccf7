import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path of a Unix socket has at most 107 bytes, on macOS 103; ssh puts a folder's six letters, a name and 17 more into it. */
const longest = 103 - "/ssh-123456/line.1234567890123456".length;

/** Folders for the sockets of connections, all in one folder of the node's own. */
export class Sockets {
	readonly #folder: string;

	/** Nothing is made before the first is needed. Without a folder they lie with the system's temporary files. */
	constructor(folder?: string) {
		this.#folder = folder === undefined ? tmpdir() : short(folder);
	}

	/** Removes what a node left that was killed. Its connections have ended with it. */
	clean(): void {
		if (this.#folder === tmpdir()) return;
		for (const name of namesIn(this.#folder))
			if (name.startsWith("ssh-")) rmSync(join(this.#folder, name), { recursive: true, force: true });
	}

	/** A new folder, for this user alone. */
	make(): string {
		if (this.#folder !== tmpdir()) own(this.#folder);
		return mkdtempSync(join(this.#folder, "ssh-"));
	}
}

/** Always the same for a folder, so that a later node finds it. */
function short(folder: string): string {
	if (Buffer.byteLength(folder) <= longest) return folder;
	return join("/tmp", `fediversity-${createHash("sha256").update(folder).digest("hex").slice(0, 20)}`);
}

/** In /tmp somebody else may have been there first. */
function own(folder: string): void {
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const there = lstatSync(folder);
	if (!there.isDirectory() || there.uid !== process.getuid?.()) throw new Error(`${folder} belongs to somebody else`);
	chmodSync(folder, 0o700);
}

function namesIn(folder: string): string[] {
	try {
		return readdirSync(folder);
	} catch {
		// It is not there, or somebody else's, which is found out when it is needed.
		return [];
	}
}
