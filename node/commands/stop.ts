/** One Ctrl-C can arrive several times: from the terminal, from npm and from whoever stands in between. */
const sameKeyPress = 1000;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves with the reason when this process should stop: a signal, or the end of the process that started it
 * (its channel closes, even on kill -9). A further signal calls `harder`; by default the process ends on the spot.
 */
export function untilStopped(
	harder: () => void = () => process.exit(130),
	now: () => number = Date.now,
): Promise<string> {
	const { promise, resolve } = Promise.withResolvers<string>();
	let asked: number | undefined;
	const stop = (why: string) => {
		if (asked === undefined) {
			asked = now();
			resolve(why);
		} else if (now() - asked > sameKeyPress) harder();
	};
	for (const signal of signals) process.on(signal, () => stop(signal));
	if (process.connected) process.once("disconnect", () => stop("the process that started this one has ended"));
	return promise;
}
