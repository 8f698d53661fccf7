import { statSync, utimesSync, writeFileSync } from "node:fs";

/** What the file system's own clock says now, by the change of a file that is kept for it. */
export function tick(file: string): bigint {
	writeFileSync(file, "");
	utimesSync(file, 0, 0);
	return statSync(file, { bigint: true }).ctimeNs;
}

const second = 1_000_000_000n;

/**
 * Whether a change was before this tick, so that no later one can have the same time. A file system that counts whole
 * seconds has longer ticks.
 */
export function isBefore(changed: bigint, now: bigint): boolean {
	return changed % second === 0n ? changed < now - (now % second) : changed < now;
}
