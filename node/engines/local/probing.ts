import { setTimeout as wait } from "node:timers/promises";
import type { Sighting } from "../engine.ts";
import type { Ask, Probe } from "./recipe.ts";

export type Seen = Sighting["probes"][number];

/** Looks at a service in all its ways at once. */
export function lookAll(probes: readonly Probe[], ask: Ask): Promise<Seen[]> {
	return Promise.all(probes.map((probe) => lookOnce(probe, ask)));
}

async function lookOnce(probe: Probe, ask: Ask): Promise<Seen> {
	const from = performance.now();
	const seen = await probe.look(ask).then(
		(detail) => ({ ok: true, detail }),
		(error: Error) => ({ ok: false, detail: error.message }),
	);
	return { what: probe.what, ...seen, milliseconds: Math.round(performance.now() - from) };
}

/**
 * Looks again and again, less and less often, until every probe holds. `seen` is told what each look saw, what was
 * wrong first, and says whether to go on; false, or the signal, ends it. Answers whether all held in the end.
 */
export async function lookUntilWell(
	probes: readonly Probe[],
	ask: Ask,
	{
		signal,
		seen,
	}: { signal?: AbortSignal; seen(wrong: Seen | undefined, all: readonly Seen[]): Promise<boolean> | boolean },
): Promise<boolean> {
	for (let pause = 10; ; pause = Math.min(pause * 1.5, 500)) {
		const all = await lookAll(probes, ask);
		const wrong = all.find(({ ok }) => !ok);
		signal?.throwIfAborted();
		if (!(await seen(wrong, all))) return false;
		if (!wrong) return true;
		await wait(pause, undefined, { ref: signal !== undefined, ...(signal && { signal }) });
	}
}
