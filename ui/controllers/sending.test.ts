import { expect, test, vi } from "vitest";
import { Clock } from "./clock.ts";
import { sender, Unreachable } from "./sending.ts";

function ears(answer: () => Promise<Response>) {
	const [onSignedOut, onReached] = [vi.fn(), vi.fn()];
	return { onSignedOut, onReached, send: sender(answer, { clock: new Clock(), onSignedOut, onReached }) };
}

const refused = async () => new Response("{}", { status: 401 });

test("hears that the session is over, but not from a wrong password", async () => {
	const { send, onSignedOut } = ears(refused);
	await send("/api/v1/sign-in");
	await send("/api/v1/me/password");
	await send("/api/v1/deployments/d1/move");
	expect(onSignedOut).not.toHaveBeenCalled();
	await send("/api/v1/deployments/d1/move-plan");
	expect(onSignedOut).toHaveBeenCalledOnce();
});

test("says when nobody answers, and when somebody does again", async () => {
	let up = false;
	const { send, onReached } = ears(async () => {
		if (!up) throw new TypeError("fetch failed");
		return new Response("{}");
	});
	await expect(send("/")).rejects.toBeInstanceOf(Unreachable);
	up = true;
	await send("/");
	expect(onReached.mock.calls).toEqual([[false], [true]]);
});

test("a request that we gave up ourselves says nothing about the node", async () => {
	const stop = AbortSignal.abort();
	const { send, onReached } = ears(async () => Promise.reject(stop.reason));
	await expect(send("/", { signal: stop })).rejects.toBe(stop.reason);
	expect(onReached).not.toHaveBeenCalled();
});

test("goes by the node's clock when ours is wrong, and by ours when it is about right", () => {
	const here = Date.UTC(2026, 0, 1, 12);
	const clock = new Clock(() => here);
	clock.hear(new Headers({ date: new Date(here + 2000).toUTCString() }));
	expect(clock.now()).toBe(here);
	clock.hear(new Headers({ date: new Date(here + 3_600_000).toUTCString() }));
	expect(clock.now()).toBe(here + 3_600_000);
});
