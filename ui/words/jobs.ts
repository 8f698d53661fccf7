import { msg } from "@lit/localize";
import type { JobHead } from "../views.ts";
import type { Tone } from "./states.ts";

/** What a job is for, as a heading beside its domain. */
export function jobKind(kind: string): string {
	const words: Record<string, string> = {
		deploy: msg("Setting up"),
		remove: msg("Removing"),
		erase: msg("Erasing"),
		restore: msg("Bringing back"),
		restart: msg("Restarting"),
		repair: msg("Setting up again"),
		"set-password": msg("Setting a password"),
		leave: msg("Moving away"),
		arrive: msg("Moving in"),
	};
	return words[kind] ?? kind;
}

/** The same, once it is done. */
export function jobDone(kind: string): string {
	const words: Record<string, string> = {
		deploy: msg("Set up"),
		remove: msg("Removed"),
		erase: msg("Erased"),
		restore: msg("Brought back"),
		restart: msg("Restarted"),
		repair: msg("Set up anew"),
		"set-password": msg("Password set"),
		leave: msg("Moved away"),
		arrive: msg("Moved in"),
	};
	return words[kind] ?? kind;
}

/** Work that has nothing to take back: called off, it is not finished, and not undone. */
export function isCare({ kind }: Pick<JobHead, "kind">): boolean {
	return kind === "repair" || kind === "restart";
}

/** The state of a job in a word or two. */
export function jobWord(job: Pick<JobHead, "kind" | "state">): string {
	const { state } = job;
	if (isCare(job) && state === "cancelling") return msg("being cancelled");
	if (isCare(job) && state === "undone") return msg("not finished");
	const words: Record<JobHead["state"], string> = {
		waiting: msg("waiting"),
		running: msg("under way"),
		cancelling: msg("being undone"),
		done: msg("done"),
		undone: msg("undone"),
		stuck: msg("stuck"),
	};
	return words[state];
}

export function jobTone(state: JobHead["state"]): Tone {
	const tones = {
		waiting: "still",
		running: "busy",
		cancelling: "busy",
		done: "good",
		undone: "attention",
		stuck: "bad",
	} as const;
	return tones[state];
}
