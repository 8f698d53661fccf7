import { readdirSync, readFileSync, realpathSync } from "node:fs";
import type { Pace } from "../pace.ts";

/**
 * Inodes of the files in a folder that some process has mapped to write to. Through a mapping content changes without the
 * file looking any different, so what was read of these may not be remembered. Where the system does not tell, none.
 */
export async function mappedIn(root: string, pace: Pace): Promise<ReadonlySet<bigint>> {
	const inside = `${realpathSync(root)}/`;
	const inodes = new Set<bigint>();
	for (const process of processes()) {
		for (const line of mapsOf(process)) {
			// address, rights, offset, device, inode, path
			const [, inode = "0", path = ""] = /^\S+ rw.s \S+ \S+ (\d+) +(.*)$/.exec(line) ?? [];
			if (path.startsWith(inside)) inodes.add(BigInt(inode));
		}
		if (pace.isDue) await pace.rest();
	}
	return inodes;
}

function processes(): string[] {
	try {
		return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	} catch {
		return [];
	}
}

/** Lines of shared mappings; of a process that has ended or is not ours to look at, none. */
function mapsOf(process: string): string[] {
	try {
		const text = readFileSync(`/proc/${process}/maps`, "utf8");
		return text.includes(" rw-s ") || text.includes(" rwxs ") ? text.split("\n") : [];
	} catch {
		return [];
	}
}
