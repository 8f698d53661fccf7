import { type BigIntStats, chmodSync, lchownSync, lutimesSync } from "node:fs";
import type { Entry } from "../volume.ts";

/** Node sets times as a number of seconds, which is exact to a quarter of a microsecond: so the microsecond is kept. */
const microsecond = 1000n;
const second = 1_000_000_000n;

/**
 * Gives what is at this path the mode, time and owner it should have, where they differ. Nothing runs with the rights of
 * its file's owner only because another provider said so. Answers whether something was changed.
 */
export function dress(path: string | Buffer, stats: BigIntStats, entry: Entry, owner: Ownership | null): boolean {
	const { uid, gid } = owner ?? { uid: Number(stats.uid), gid: -1 };
	const isOurs = Number(stats.uid) === uid && (gid < 0 || Number(stats.gid) === gid);
	if (!isOurs) lchownSync(path, uid, gid);
	const given = entry.type === "symlink" ? undefined : entry.mode;
	const mode = given === undefined ? undefined : given & (entry.type === "folder" ? 0o3777 : 0o777);
	const isAllowed = mode === undefined || (Number(stats.mode) & 0o7777) === mode;
	// A new owner takes some of the mode away.
	if (mode !== undefined && !(isAllowed && isOurs)) chmodSync(path, mode);
	const isTimely = entry.modified === undefined || isSameTime(stats.mtimeNs, BigInt(entry.modified));
	if (!isTimely) setTime(path, BigInt(entry.modified));
	return !(isOurs && isAllowed && isTimely);
}

/** Aims at the middle of the microsecond, so that no rounding leads out of it. */
function setTime(path: string | Buffer, time: bigint): void {
	const aim = time % second === 0n ? time : (time / microsecond) * microsecond + microsecond / 2n;
	const seconds = Number(aim) / 1e9;
	lutimesSync(path, seconds, seconds);
}

/** Who is to own files; a gid of -1: the group stays as it is. */
export interface Ownership {
	readonly uid: number;
	readonly gid: number;
}

const isSameTime = (one: bigint, other: bigint) => one / microsecond === other / microsecond;
