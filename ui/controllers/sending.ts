import type { Clock } from "./clock.ts";

/** Nobody answered: the node is down, or this computer is offline. */
export class Unreachable extends Error {
	override readonly name = "Unreachable";
}

interface Ears {
	clock: Clock;
	/** The node no longer knows this session. */
	onSignedOut: () => void;
	/** Whether the last request found anybody. */
	onReached: (reached: boolean) => void;
}

/** `fetch` with ears: it learns the node's time, notices a session's end, and says so when nobody answers. */
export function sender(fetch: typeof globalThis.fetch, { clock, onSignedOut, onReached }: Ears): typeof fetch {
	return async (input, init) => {
		const response = await fetch(input, init).catch((error: unknown) => {
			if (init?.signal?.aborted) throw error;
			onReached(false);
			throw new Unreachable("Nobody answers", { cause: error });
		});
		onReached(true);
		clock.hear(response.headers);
		if (response.status === 401 && !isSigningIn(input)) onSignedOut();
		return response;
	};
}

/** A wrong password is a 401 too, and no news about the session. */
function isSigningIn(input: RequestInfo | URL): boolean {
	return /\/(sign-in|sign-up|me\/(password|confirm)|deployments\/[^/]+\/move)$/.test(
		String(input instanceof Request ? input.url : input),
	);
}
