import { msg, str } from "@lit/localize";
import type { Step } from "../views.ts";
import { serviceTitle } from "./params.ts";

type Sentence = (service: string) => string;

/** What a step does, by its verb: to one service, or to the whole deployment. */
const toService: Readonly<Record<string, Sentence>> = {
	get: (service) => msg(str`Get ${service}`),
	configure: (service) => msg(str`Set up ${service}`),
	start: (service) => msg(str`Start ${service}`),
	account: (service) => msg(str`Make the first account in ${service}`),
	check: (service) => msg(str`Check that ${service} answers`),
	stop: (service) => msg(str`Stop ${service}`),
	erase: (service) => msg(str`Erase ${service} and look that it is gone`),
	restart: (service) => msg(str`Restart ${service}`),
	password: (service) => msg(str`Give ${service} the new password`),
	settle: () => msg("Forget the old password"),
};

const toAll: Readonly<Record<string, () => string>> = {
	records: () => msg("Point the domain here"),
	withdraw: () => msg("Take back the domain's records"),
	stop: () => msg("Stop the services and keep what they hold"),
	erase: () => msg("Erase everything the services hold, and make sure it is gone"),
};

/** A step in the reader's language; one that is newer than this panel in the node's own words. */
export function stepSentence(step: Pick<Step, "verb" | "service" | "title">): string {
	const sentence = step.service ? toService[step.verb]?.(serviceTitle(step.service)) : toAll[step.verb]?.();
	return sentence ?? step.title;
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
