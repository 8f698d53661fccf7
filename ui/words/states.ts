import { msg } from "@lit/localize";
import type { Deployment, DnsRecord, ServiceStatus } from "../views.ts";

/** How a state looks; the word stands beside it always. */
export type Tone = "good" | "busy" | "attention" | "bad" | "still";

export function healthWord(health: ServiceStatus["health"]): readonly [string, Tone] {
	const words: Record<ServiceStatus["health"], readonly [string, Tone]> = {
		well: [msg("well"), "good"],
		starting: [msg("starting"), "busy"],
		unwell: [msg("not answering"), "bad"],
		stopped: [msg("stopped"), "still"],
		unknown: [msg("not checked yet"), "still"],
	};
	return words[health];
}

export function deploymentWord(state: Deployment["state"]): readonly [string, Tone] {
	const words: Record<Deployment["state"], readonly [string, Tone]> = {
		starting: [msg("being set up"), "busy"],
		arriving: [msg("moving in"), "busy"],
		serving: [msg("serving"), "good"],
		frozen: [msg("paused"), "attention"],
		moved: [msg("moved away"), "still"],
		restoring: [msg("being brought back"), "busy"],
		removing: [msg("being removed"), "busy"],
		kept: [msg("removed, still kept"), "still"],
		erasing: [msg("being erased"), "busy"],
		gone: [msg("gone"), "still"],
	};
	return words[state];
}

export function recordWord(state: DnsRecord["state"]): readonly [string, Tone] {
	const words: Record<DnsRecord["state"], readonly [string, Tone]> = {
		right: [msg("right"), "good"],
		missing: [msg("not there yet"), "attention"],
		wrong: [msg("different"), "bad"],
		unknown: [msg("no answer"), "still"],
	};
	return words[state];
}

/** A deployment in one word: what happens to it, else how its services are. */
export function wellbeing({ state, services }: Deployment): readonly [string, Tone] {
	if (state !== "serving") return deploymentWord(state);
	if (services.some(({ health }) => health === "unwell" || health === "stopped")) return [msg("needs a look"), "bad"];
	if (services.some(({ health }) => health === "starting")) return [msg("starting"), "busy"];
	if (services.every(({ health }) => health === "well")) return [msg("all well"), "good"];
	return [msg("not checked yet"), "still"];
}
