import { rm } from "node:fs/promises";
import { join } from "node:path";

/** What one migration needs on this node's disk lies in a folder of its own. Ids are base64url, so they are safe names. */
export function folderOf(folder: string, migration: string): string {
	if (!/^[\w-]{22}$/.test(migration)) throw new Error(`${JSON.stringify(migration)} is no migration's id`);
	return join(folder, migration);
}

export async function removeFolder(folder: string): Promise<void> {
	await rm(folder, { recursive: true, force: true });
}
