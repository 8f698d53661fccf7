import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { Powers, UserRange } from "./powers.ts";
import type { Command } from "./recipe.ts";
import type { Confinement, Network } from "./unit.ts";

const logger = getLogger(["fediversity", "engines"]);

/**
 * Holds a program to as much as this machine can: a user of its own who can enter the folders it needs, its limits, a
 * /dev/shm of its own. Where its user could not get to its folders and nothing can be done about it, it runs as the
 * node's own user.
 */
export async function confine(
	powers: Powers,
	wanted: {
		user: number | null;
		folders: readonly string[];
		memoryMiB: number;
		network?: Network | undefined;
	} & Required<Pick<Command, "ownSharedMemory" | "limits">>,
): Promise<Confinement> {
	const behind = wanted.user === null ? [] : await walls(wanted.folders, wanted.user);
	const user = behind.length > 0 && powers.mounts !== "root" ? null : wanted.user;
	if (user !== wanted.user)
		logger.warning("Services run as the node's own user, since theirs may not enter {walls}", {
			walls: behind.map(({ wall }) => wall),
		});
	return {
		user,
		mounts: powers.mounts,
		ownSharedMemory: wanted.ownSharedMemory && powers.mounts !== null,
		behind: user === null ? [] : behind,
		limits: powers.limits && {
			files: Math.min(wanted.limits.files ?? 4096, powers.limits.files),
			// It counts all processes of a user, so it says something only about a user of its own.
			processes: user === null ? null : (wanted.limits.processes ?? 512),
			memoryMiB: Math.min(wanted.memoryMiB, Math.floor(powers.limits.data / 2 ** 20)),
		},
		...(wanted.network && { network: wanted.network }),
	};
}

/** A number for a unit's own user: always the same for the same unit, unless somebody else of this node has it. */
export function userFor(unit: string, { first, last }: UserRange, taken: ReadonlySet<number>): number {
	const size = last - first + 1;
	const start = createHash("sha256").update(unit).digest().readUInt32BE() % size;
	for (let step = 0; step < size; step++) {
		const user = first + ((start + step) % size);
		if (!taken.has(user)) return user;
	}
	throw new Error(`all users from ${first} to ${last} are taken`);
}

/** Which of the folders lie behind one that this user may not enter, by the outermost such one. */
async function walls(folders: readonly string[], user: number): Promise<Confinement["behind"]> {
	const found = new Map<string, string[]>();
	for (const folder of new Set(folders)) {
		const wall = await outermostWall(folder, user);
		if (wall) found.set(wall, [...(found.get(wall) ?? []), folder]);
	}
	return [...found].map(([wall, list]) => ({ wall, folders: list }));
}

async function outermostWall(folder: string, user: number): Promise<string | undefined> {
	for (const above of ancestors(folder)) {
		const { mode, uid } = await stat(above);
		const mayEnter = uid === user ? mode & 0o100 : mode & 0o001;
		if (!mayEnter) return above;
	}
	return undefined;
}

/** From the root downwards, without the folder itself. */
function ancestors(folder: string): string[] {
	const above = dirname(folder);
	return above === folder ? [] : [...ancestors(above), above];
}
