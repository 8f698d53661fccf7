import type { Line } from "./line.ts";

/** Calls with nothing to send; gives the blocks that come, and returns the result. */
export async function* call(
	line: Line,
	method: string,
	args: unknown,
	signal: AbortSignal,
): AsyncGenerator<Buffer, unknown, void> {
	signal.throwIfAborted();
	const talk = line.call(method, args);
	const stop = () => talk.cancel();
	signal.addEventListener("abort", stop, { once: true });
	try {
		talk.finish();
		yield* talk.blocks();
		return await talk.result();
	} catch (error) {
		signal.throwIfAborted();
		throw error;
	} finally {
		signal.removeEventListener("abort", stop);
	}
}
