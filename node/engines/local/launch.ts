import type { Confinement, Network } from "./unit.ts";

/**
 * The command line that runs `argv` within its confinement. Every part replaces itself by the next, so the process that
 * is started is the program itself in the end: signals reach it, and its death is seen.
 *
 * Order: network, mount namespace (unshare(1)), limits (prlimit(1)), then user and powers (setpriv(1)), since each needs what the
 * next one takes away.
 */
export function launch(argv: readonly [string, ...string[]], folder: string, confinement: Confinement): string[] {
	const { network } = confinement;
	return [
		...(network ? inNetwork(network) : []),
		...inMountNamespace(folder, confinement),
		...underLimits(confinement),
		...asUser(confinement),
		...argv,
	];
}

/** nsenter(1). A mount namespace of the holder is not entered: what is there is the machine's own. */
function inNetwork({ holder, ofUser }: Network): string[] {
	return ["nsenter", `--target=${holder}`, "--net", ...(ofUser ? ["--user", "--preserve-credentials"] : []), "--"];
}

function inMountNamespace(folder: string, { mounts, ownSharedMemory, behind }: Confinement): string[] {
	const script = [...(ownSharedMemory ? [sharedMemory] : []), ...behind.flatMap(reopened)];
	if (mounts === null || script.length === 0) return [];
	const unshare = mounts === "root" ? ["unshare", "--mount"] : ["unshare", "--user", "--map-root-user", "--mount"];
	const lines = ["set -eu", ...script, `cd ${quoted(folder)}`, 'exec "$@"'];
	return [...unshare, "--propagation", "private", "--", "sh", "-c", lines.join("\n"), "sh"];
}

const sharedMemory = "mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=64m tmpfs /dev/shm";

/**
 * Opens the folders, covers the wall with an empty folder, and mounts them in it where they were. Numbers up to 9 are
 * all that a shell must take as file descriptors, so each is closed again before the next wall.
 */
function reopened({ wall, folders }: { wall: string; folders: readonly string[] }): string[] {
	const numbered = folders.map((folder, at) => ({ folder: quoted(folder), fd: at + 3 }));
	return [
		...numbered.map(({ folder, fd }) => `exec ${fd}<${folder}`),
		`mount -t tmpfs -o nosuid,nodev,mode=755,size=1m tmpfs ${quoted(wall)}`,
		...numbered.flatMap(({ folder, fd }) => [
			`mkdir -p ${folder}`,
			`mount --no-canonicalize --bind /proc/self/fd/${fd} ${folder}`,
			`exec ${fd}<&-`,
		]),
	];
}

function underLimits({ limits }: Confinement): string[] {
	if (!limits) return [];
	const { files, processes, memoryMiB } = limits;
	return [
		"prlimit",
		"--core=0",
		`--nofile=${files}`,
		// Private memory rather than address space: V8 and Go reserve far more addresses than they ever use.
		`--data=${memoryMiB * 2 ** 20}`,
		...(processes === null ? [] : [`--nproc=${processes}`]),
		"--",
	];
}

function asUser({ user, mounts, ownSharedMemory, behind, network }: Confinement): string[] {
	const privileges = ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"];
	if (user !== null) return ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", ...privileges, "--"];
	// In a user namespace it would otherwise keep root's powers over that namespace.
	const isInside = mounts === "user" && (ownSharedMemory || behind.length > 0);
	if (isInside || network?.ofUser) return ["setpriv", ...privileges, "--"];
	return [];
}

/** For sh. */
function quoted(text: string): string {
	return `'${text.replaceAll("'", `'\\''`)}'`;
}
