import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { Problem } from "#protocol/problem.ts";

export interface PortRange {
	readonly first: number;
	readonly last: number;
}

/**
 * A loopback port that nobody listens on now and that is not among `taken`. Where it looks first depends on `seed`, so
 * that two nodes with the same range seldom reach for the same one. None free: Problem port-taken.
 */
export async function freePort({ first, last }: PortRange, taken: ReadonlySet<number>, seed: string): Promise<number> {
	const size = last - first + 1;
	const start = createHash("sha256").update(seed).digest().readUInt32BE() % size;
	for (let step = 0; step < size; step++) {
		const port = first + ((start + step) % size);
		if (!taken.has(port) && (await isFree(port))) return port;
	}
	throw new Problem("port-taken", { port: first === last ? first : `${first}–${last}` });
}

/** Whether one could listen there now. */
export function isFree(port: number): Promise<boolean> {
	return new Promise((answer) => {
		const trial = createServer();
		trial.once("error", () => answer(false));
		trial.listen({ port, host: "127.0.0.1", exclusive: true }, () => trial.close(() => answer(true)));
	});
}
