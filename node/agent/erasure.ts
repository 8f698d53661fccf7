import { existsSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Folders } from "../volumes/directory/folders.ts";
import { Removal } from "../volumes/directory/removal.ts";
import { namesIn } from "../volumes/directory/walk.ts";
import type { Place } from "../volumes/volume.ts";
import type { Declaration } from "./declaration.ts";
import { hold } from "./units.ts";

const never = new AbortController().signal;

/**
 * Stops a service for good and removes what its volumes hold, and its secrets. Folders, databases and buckets themselves
 * stay, since they are the machine's, and go with the service when the machine no longer declares it. Cut off, again goes on.
 */
export async function erase(declaration: Declaration, service: string): Promise<void> {
	await hold(declaration, service, "stopped");
	for (const volume of Object.keys(declaration.service(service).volumes))
		await empty(declaration.place(service, volume));
	await new Removal().remove(dirname(declaration.secretFile(service, "any")));
}

async function empty(place: Place): Promise<void> {
	switch (place.kind) {
		case "directory":
			return emptyFolder(place.path);
		case "sqlite":
			for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(place.path + suffix, { force: true });
			return;
		case "postgres": {
			const { inSession } = await import("../volumes/postgres/connection.ts");
			await inSession(place, never, (session) => session.run("DROP OWNED BY CURRENT_USER CASCADE"));
			return;
		}
		case "bucket": {
			const { Bucket } = await import("../volumes/bucket/s3.ts");
			const bucket = new Bucket(place);
			for await (const page of bucket.objects(never)) for (const { key } of page) await bucket.remove(key, never);
		}
	}
}

async function emptyFolder(path: string): Promise<void> {
	if (!existsSync(path)) return;
	const folders = new Folders(path);
	try {
		for (const name of namesIn(folders, "") ?? []) await new Removal().removeIn(folders, name);
	} finally {
		folders.close();
	}
}
