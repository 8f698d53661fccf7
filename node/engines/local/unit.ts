import { createHash } from "node:crypto";

/** One program that is kept running, said completely: the keeper needs to know nothing else about it. */
export interface Unit {
	/** `<deployment>/<service>`, unique on this node. */
	readonly id: string;
	readonly argv: readonly [string, ...string[]];
	/** All it gets besides the markers; nothing secret. */
	readonly env: Readonly<Record<string, string>>;
	/** Where it runs. */
	readonly folder: string;
	/** Stands for what its configuration files say; another text here means that it must be started anew. */
	readonly settings: string;
	/** The file its output goes to. */
	readonly log: string;
	readonly stop: { readonly signal: NodeJS.Signals; readonly seconds: number };
	readonly confinement: Confinement;
}

/** What one program is held to. Whoever makes it has looked at what this machine allows (`powers.ts`). */
export interface Confinement {
	/** Numeric user and group of its own; null: the node's own user. */
	readonly user: number | null;
	/** A mount namespace of its own: as root, or within a user namespace. */
	readonly mounts: "root" | "user" | null;
	/** A /dev/shm of its own; needs `mounts`. */
	readonly ownSharedMemory: boolean;
	/**
	 * Folders it needs that lie behind one its user may not enter, such as /root. Within its mount namespace that one
	 * becomes an empty folder with nothing but these in it. Needs `mounts`.
	 */
	readonly behind: readonly { readonly wall: string; readonly folders: readonly string[] }[];
	/** Null where this system has no `prlimit`. */
	readonly limits: Limits | null;
	/** Another network than the machine's. */
	readonly network?: Network;
}

/** A network namespace, by a process that lives in it. */
export interface Network {
	readonly holder: number;
	/** It lies in a user namespace, into which one must go with it. */
	readonly ofUser: boolean;
}

export interface Limits {
	readonly files: number;
	/** Only meaningful for a user of its own; null: none. */
	readonly processes: number | null;
	/** Private memory it may ask for. */
	readonly memoryMiB: number;
}

/** Environment marker by which a program is known as ours after the node was killed: `<nodeId>/<unit>`. */
export const marker = "FEDIVERSITY_UNIT";
/** Environment marker that tells which way the unit was started, see `fingerprint`. */
export const fingerprintMarker = "FEDIVERSITY_UNIT_PRINT";

/** The same for two units exactly if a running one need not be started anew to become the other. */
export function fingerprint(unit: Unit): string {
	const { argv, env, folder, settings, confinement } = unit;
	return createHash("sha256")
		.update(JSON.stringify([argv, Object.entries(env).sort(), folder, settings, confinement]))
		.digest("hex")
		.slice(0, 16);
}
