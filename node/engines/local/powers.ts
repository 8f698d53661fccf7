import { execFile } from "node:child_process";

/** What this machine lets the node do with the programs it starts. Looked at by trying, since containers differ. */
export interface Powers {
	/** Numbers that may be given to users of our own; null: everything runs as the node's own user. */
	readonly users: UserRange | null;
	/** Whether programs can get a mount namespace, and how. */
	readonly mounts: "root" | "user" | null;
	/** The most open files and bytes of private memory a program may be given; null: `prlimit` is missing. */
	readonly limits: { readonly files: number; readonly data: number } | null;
}

export interface UserRange {
	readonly first: number;
	readonly last: number;
}

/**
 * The first lies where neither Debian nor systemd gives numbers to anybody (systemd, UIDS-GIDS: 1879048192 to
 * 2147352575 is unused), and is so wide that two nodes on one machine do not meet. The second is for containers,
 * which mostly know 65536 numbers.
 */
const ranges: readonly UserRange[] = [
	{ first: 1_900_000_000, last: 2_099_999_999 },
	{ first: 20_000, last: 59_999 },
];

const nobodysPowers = ["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--", "true"];
const mountTrial = ["--propagation", "private", "--", "sh", "-c", "mount -t tmpfs tmpfs /dev/shm"];

/** Tries what works here; takes some 20 ms. `env` needs PATH. */
export async function powersHere(env: Readonly<Record<string, string>>): Promise<Powers> {
	if (process.platform !== "linux") return { users: null, mounts: null, limits: null };
	const works = (command: string, ...args: string[]) => output(env, command, args).then((text) => text !== null);
	const worksFor = (user: number) => works("setpriv", `--reuid=${user}`, `--regid=${user}`, ...nobodysPowers);
	const isRoot = process.getuid?.() === 0;
	const [users, mounts, limits] = await Promise.all([
		isRoot ? firstThat(ranges, async ({ first, last }) => (await worksFor(first)) && (await worksFor(last))) : null,
		isRoot
			? works("unshare", "--mount", ...mountTrial).then((can) => (can ? ("root" as const) : null))
			: works("unshare", "--user", "--map-root-user", "--mount", ...mountTrial).then((can) =>
					can ? ("user" as const) : null,
				),
		output(env, "prlimit", ["--nofile", "--data", "--output", "HARD", "--noheadings", "--raw"]).then(highest),
	]);
	return { users, mounts, limits };
}

/** What `prlimit` prints of the hard limits: one a line, in the order asked for. */
function highest(text: string | null): Powers["limits"] {
	if (text === null) return null;
	const [files, data] = text
		.trim()
		.split(/\s+/)
		.map((word) => (word === "unlimited" ? Infinity : Number(word)));
	return { files: files ?? 1024, data: data ?? Infinity };
}

async function firstThat<T>(choices: readonly T[], fits: (choice: T) => Promise<boolean>): Promise<T | null> {
	for (const choice of choices) if (await fits(choice)) return choice;
	return null;
}

function output(env: Readonly<Record<string, string>>, command: string, args: string[]): Promise<string | null> {
	return new Promise((done) =>
		execFile(command, args, { env, timeout: 30_000 }, (error, out) => done(error ? null : out)),
	);
}
