// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Poll } from "./poll.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
	vi.restoreAllMocks();
	vi.useRealTimers();
});

function polling(seconds: () => number | null, ask: () => unknown) {
	const host = {
		addController: vi.fn(),
		removeController: vi.fn(),
		requestUpdate: vi.fn(),
		updateComplete: Promise.resolve(true),
	};
	const poll = new Poll(host, seconds, ask);
	poll.hostConnected();
	return poll;
}

function see(visible: boolean) {
	vi.spyOn(document, "hidden", "get").mockReturnValue(!visible);
	document.dispatchEvent(new Event("visibilitychange"));
}

test("asks every so often, and not while nobody looks; at once when somebody does again", async () => {
	const ask = vi.fn();
	polling(() => 5, ask);
	await vi.advanceTimersByTimeAsync(11_000);
	expect(ask).toHaveBeenCalledTimes(2);
	see(false);
	await vi.advanceTimersByTimeAsync(60_000);
	expect(ask).toHaveBeenCalledTimes(2);
	see(true);
	await vi.advanceTimersByTimeAsync(0);
	expect(ask).toHaveBeenCalledTimes(3);
	await vi.advanceTimersByTimeAsync(5000);
	expect(ask).toHaveBeenCalledTimes(4);
});

test("does not ask again before the answer is there", async () => {
	const answers: (() => void)[] = [];
	polling(
		() => 1,
		() => new Promise<void>((resolve) => answers.push(resolve)),
	);
	await vi.advanceTimersByTimeAsync(10_000);
	expect(answers).toHaveLength(1);
	answers[0]?.();
	await vi.advanceTimersByTimeAsync(1000);
	expect(answers).toHaveLength(2);
});

test("does not go on when the page was left while an answer was on its way", async () => {
	const answers: (() => void)[] = [];
	const poll = polling(
		() => 1,
		() => new Promise<void>((resolve) => answers.push(resolve)),
	);
	await vi.advanceTimersByTimeAsync(1000);
	poll.hostDisconnected();
	answers[0]?.();
	await vi.advanceTimersByTimeAsync(10_000);
	expect(answers).toHaveLength(1);
});

test("pauses, and goes on when it is told to", async () => {
	const ask = vi.fn();
	let seconds: number | null = null;
	const poll = polling(() => seconds, ask);
	await vi.advanceTimersByTimeAsync(10_000);
	expect(ask).not.toHaveBeenCalled();
	seconds = 2;
	poll.ensure();
	poll.ensure();
	await vi.advanceTimersByTimeAsync(2000);
	expect(ask).toHaveBeenCalledOnce();
});

test("asks sooner once it is more urgent, and not twice at once", async () => {
	let seconds = 20;
	const answers: (() => void)[] = [];
	const ask = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
	const poll = polling(() => seconds, ask);
	await vi.advanceTimersByTimeAsync(5000);
	seconds = 2;
	poll.hostUpdated();
	await vi.advanceTimersByTimeAsync(2000);
	expect(ask).toHaveBeenCalledOnce();
	seconds = 1;
	poll.hostUpdated();
	await vi.advanceTimersByTimeAsync(5000);
	expect(ask).toHaveBeenCalledOnce();
	answers[0]?.();
	await vi.advanceTimersByTimeAsync(1000);
	expect(ask).toHaveBeenCalledTimes(2);
});
