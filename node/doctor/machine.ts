import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { bad, type Finding, good, warning } from "./finding.ts";

const oldestNode = 26;
const minute = 60_000;

export function nodeVersion(version: string): Finding {
	if (Number(version.split(".")[0]) >= oldestNode) return good("node-version", `Node ${version}`);
	return bad(
		"node-version",
		`Node ${version} is too old`,
		`Install Node ${oldestNode} or newer, or start with node/boot.mjs, which brings one`,
	);
}

/** A clock that is behind what was written already makes sessions, vouchers and signatures wrong. */
export async function clock(folder: string, now: () => number): Promise<Finding> {
	const newest = await newestFile(folder);
	if (newest.at > now() + minute)
		return bad(
			"clock",
			`The clock says ${new Date(now()).toISOString()}, but ${newest.name} was written at ${new Date(newest.at).toISOString()}`,
			"Set the clock by NTP: timedatectl set-ntp true",
		);
	if (process.platform !== "linux") return good("clock", new Date(now()).toISOString());
	const kept = await Promise.allSettled(
		["/run/systemd/timesync/synchronized", "/run/chrony"].map((path) => stat(path)),
	);
	if (kept.some(({ status }) => status === "fulfilled")) return good("clock", "The clock is kept right by NTP");
	return warning(
		"clock",
		"Nothing here is seen to keep the clock right",
		"Unless the machine's host does it, turn NTP on: timedatectl set-ntp true",
	);
}

async function newestFile(folder: string): Promise<{ name: string; at: number }> {
	const names = await readdir(folder).catch(() => []);
	const files = await Promise.all(
		names.map(async (name) => ({ name, at: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
	);
	return files.sort((one, other) => other.at - one.at)[0] ?? { name: "", at: 0 };
}
