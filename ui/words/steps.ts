import { msg, str } from "@lit/localize";
import type { Step } from "../views.ts";
import { number } from "./numbers.ts";
import { serviceTitle } from "./params.ts";
import { translated } from "./translated.ts";

type Sentence = (service: string) => string;

/** What a step does to one service, by its verb. */
const toService: Readonly<Record<string, Sentence>> = {
	get: (service) => msg(str`Get ${service}`),
	configure: (service) => msg(str`Set up ${service}`),
	mend: (service) => msg(str`Put ${service} right`),
	start: (service) => msg(str`Start ${service}`),
	account: (service) => msg(str`Make the first account in ${service}`),
	check: (service) => msg(str`Check that ${service} answers`),
	stop: (service) => msg(str`Stop ${service}`),
	erase: (service) => msg(str`Erase ${service} and look that it is gone`),
	restart: (service) => msg(str`Restart ${service}`),
	password: (service) => msg(str`Give ${service} the new password`),
	settle: () => msg("Forget the old password"),
};

/**
 * A step in the reader's language; one that is newer than this panel in the node's own words. What is done to the whole
 * deployment is looked up by its English: the two sides of a move say the same verb differently.
 */
export function stepSentence(step: Pick<Step, "verb" | "service" | "title">): string {
	const sentence = step.service && toService[step.verb]?.(serviceTitle(step.service));
	return sentence || translated(step.title);
}

/** What a step says of itself, if that is still so, as the reader writes numbers; the words it is made of are few, others stay as they are. */
export function stepNote({ note, state }: Pick<Step, "note" | "state">): string {
	if (!note || (state === "done" && note.startsWith("waiting"))) return "";
	return note
		.split(/ · |, /)
		.map(fact)
		.join(" · ");
}

/** What notes consist of: how it is recognised, and said. */
const facts: readonly [RegExp, (one: string, other: string) => string][] = [
	[/^(\S+) of (\S+) files$/, (done, all) => msg(str`${done} of ${all} files`)],
	[/^(\S+(?: \S+)?) of (\S+ \S+)$/, (done, all) => msg(str`${done} of ${all}`)],
	[/^(\S+) files looked at$/, (seen) => msg(str`${seen} files looked at`)],
	[/^(\S+ \S+) a second$/, (amount) => `${amount}/s`],
	[/^waiting for the new provider$/, () => msg("waiting for the new provider")],
	[/^services serve again$/, () => msg("services serve again")],
	[/^next try in (\S+) min$/, (minutes) => msg(str`next try in ${minutes} min`)],
	[/^nothing to copy$/, () => msg("nothing to copy")],
];

function fact(text: string): string {
	const local = text.replaceAll(/\b\d+(\.\d+)?\b/g, (written) => number(Number(written), 0));
	for (const [pattern, say] of facts) {
		const found = pattern.exec(local);
		if (found) return say(found[1] ?? "", found[2] ?? "");
	}
	return text;
}

/** The state of a step in one word. */
export function stepState(state: Step["state"]): string {
	const words: Record<Step["state"], string> = {
		waiting: msg("waiting"),
		running: msg("running"),
		retrying: msg("trying again"),
		done: msg("done"),
		failed: msg("failed"),
		undoing: msg("being undone"),
		undone: msg("undone"),
		stuck: msg("stuck"),
	};
	return words[state];
}

/** What a screen reader says when a step changes. */
export function stepNews(step: Step): string {
	return `${stepSentence(step)}: ${stepState(step.state)}`;
}
