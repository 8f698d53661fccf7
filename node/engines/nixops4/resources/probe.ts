import { setTimeout as wait } from "node:timers/promises";
import type { InputsOf } from "#protocol/nixops4/resources.ts";
import { Problem } from "#protocol/problem.ts";
import type { Context, Resource } from "./resource.ts";

/** Milliseconds between two looks, and for one answer. */
const between = 500;
const patience = 10_000;

/** Waits until a service answers, and gives up when its time is over. */
export class Probe implements Resource<"probe"> {
	nameOf({ service }: InputsOf<"probe">): string {
		return service;
	}

	async apply({ service, url, below, seconds }: InputsOf<"probe">, { signal }: Context) {
		const deadline = AbortSignal.timeout(seconds * 1000);
		const over = AbortSignal.any([signal, deadline]);
		for (;;) {
			const status = await look(url, over);
			if (status !== undefined && status < below) return { status };
			await wait(between, undefined, { signal: over }).catch(() => {});
			signal.throwIfAborted();
			if (deadline.aborted) throw new Problem("service-not-ready", { service, seconds });
		}
	}
}

async function look(url: string, over: AbortSignal): Promise<number | undefined> {
	try {
		const signal = AbortSignal.any([over, AbortSignal.timeout(patience)]);
		const answer = await fetch(url, { redirect: "manual", signal });
		await answer.body?.cancel();
		return answer.status;
	} catch {
		return undefined;
	}
}
