import { execFile } from "node:child_process";

/**
 * What a folder takes on the disk, in bytes, hard links counted once; null: cannot be told. By du(1), which is faster
 * at this than we are and does it outside of this process.
 */
export function sizeOf(folder: string): Promise<number | null> {
	return new Promise((done) =>
		execFile("du", ["-sk", "--", folder], { timeout: 30_000 }, (_error, output) => {
			const kibibytes = Number(/^(\d+)/.exec(output)?.[1] ?? Number.NaN);
			done(Number.isNaN(kibibytes) ? null : kibibytes * 1024);
		}),
	);
}
