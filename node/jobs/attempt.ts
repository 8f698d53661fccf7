import { Problem } from "#protocol/problem.ts";

/** How one attempt ended. `hung`: it has not, though told to; `settled` resolves when it does at last. */
export type End<Result> =
	| { readonly end: "done"; readonly result: Result }
	| { readonly end: "failed"; readonly error: unknown }
	| { readonly end: "hung"; readonly settled: Promise<void> };

export interface Limits {
	/** After this many ms the attempt is told to stop. */
	readonly deadline: number;
	/** So many ms after it was told to stop it counts as hung. */
	readonly grace: number;
}

/**
 * Lets `work` run once. It is told to stop by its signal, when `stop` says so or at the deadline; but whatever it
 * was told, it has ended only when its promise has settled, and nobody goes on before that.
 */
export async function attempt<Result>(
	work: (signal: AbortSignal) => Promise<Result>,
	stop: AbortSignal,
	{ deadline, grace }: Limits,
): Promise<End<Result>> {
	const told = new AbortController();
	const hung = Promise.withResolvers<"hung">();
	const forward = () => told.abort(stop.reason);
	const late = setTimeout(() => told.abort(new Problem("took-too-long", { seconds: deadline / 1000 })), deadline);
	let gone: NodeJS.Timeout | undefined;
	told.signal.addEventListener("abort", () => {
		gone = setTimeout(() => hung.resolve("hung"), grace);
	});
	stop.addEventListener("abort", forward);
	if (stop.aborted) forward();

	const ended = settle(work, told.signal);
	const first = await Promise.race([ended, hung.promise]);
	clearTimeout(late);
	clearTimeout(gone);
	stop.removeEventListener("abort", forward);
	return first === "hung" ? { end: "hung", settled: ended.then(() => {}) } : first;
}

async function settle<Result>(
	work: (signal: AbortSignal) => Promise<Result>,
	signal: AbortSignal,
): Promise<End<Result>> {
	try {
		return { end: "done", result: await work(signal) };
	} catch (error) {
		const explained = error instanceof Problem || !signal.aborted;
		return { end: "failed", error: explained ? error : signal.reason };
	}
}
