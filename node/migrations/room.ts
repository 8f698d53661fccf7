import { statfsSync } from "node:fs";
import { Problem } from "#protocol/problem.ts";
import type { Progressed } from "../transfer/meter.ts";

/** What arrives must leave this much of the disk to the node itself and to everybody else's services, bytes. */
const reserve = 64 * 1024 * 1024;

/** Called with each progress, throws `disk-full` as soon as it is known that what is still to come will not fit. */
export function roomIn(folder: string): (progressed: Pick<Progressed, "bytes" | "bytesOf">) => void {
	let expected = 0;
	return ({ bytes, bytesOf }) => {
		if (bytesOf <= expected) return;
		expected = bytesOf;
		const { bavail, bsize } = statfsSync(folder);
		if (bytesOf - bytes > bavail * bsize - reserve) throw new Problem("disk-full", { folder });
	};
}
