/** One measurement beside its peers. A file of this folder exports one as `bench`; `npm run bench -- <name>` runs it. */
export interface Bench {
	readonly name: string;
	/** What is promised, in one line; printed above the table. */
	readonly goals: string;
	/** Measures; `say` prints a line of progress. Leaves nothing behind: no process, no folder. */
	run(say: (line: string) => void): Promise<Measure[]>;
}

/** One line of the table. Medians of interleaved rounds. */
export interface Measure {
	readonly what: string;
	readonly unit: string;
	readonly measured: number;
	/** With a peer the goal is about the ratio measured / peer, without one about the measured value. */
	readonly peer?: { readonly name: string; readonly value: number };
	readonly goal?: { readonly atMost: number } | { readonly atLeast: number };
}

/** Whether the goal is reached; undefined where there is none. */
export function isReached({ measured, peer, goal }: Measure): boolean | undefined {
	if (!goal) return undefined;
	const judged = peer ? measured / peer.value : measured;
	return "atMost" in goal ? judged <= goal.atMost : judged >= goal.atLeast;
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	const upper = sorted[middle] ?? Number.NaN;
	return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * Lets the contenders take turns, each round beginning with another one, so that a noisy moment of the machine
 * hits all of them. One unmeasured round warms up. Returns what each one's rounds gave.
 */
export async function interleave<Name extends string, Sample>(
	rounds: number,
	contenders: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<Record<Name, Sample[]>> {
	const names = Object.keys(contenders) as Name[];
	const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>;
	for (const name of names) await contenders[name]();
	for (let round = 0; round < rounds; round++)
		for (let turn = 0; turn < names.length; turn++) {
			const name = names[(round + turn) % names.length] as Name;
			samples[name].push(await contenders[name]());
		}
	return samples;
}
