import { msg, str } from "@lit/localize";
import type { Step } from "../views.ts";
import { serviceTitle } from "./params.ts";

type Sentence = (service: string) => string;

/** What a step does, by its verb: to one service, or to the whole deployment. */
const toService: Readonly<Record<string, Sentence>> = {
	get: (service) => msg(str`Get ${service}`),
	configure: (service) => msg(str`Write the configuration of ${service}`),
	start: (service) => msg(str`Start ${service}`),
	account: (service) => msg(str`Make the first account of ${service}`),
	check: (service) => msg(str`Check that ${service} answers from outside`),
	stop: (service) => msg(str`Stop ${service}`),
	restart: (service) => msg(str`Restart ${service}`),
	erase: (service) => msg(str`Erase the data of ${service}`),
	password: (service) => msg(str`Set the new password of ${service}`),
	measure: (service) => msg(str`Measure ${service}`),
};

const toAll: Readonly<Record<string, () => string>> = {
	records: () => msg("Point the domain here"),
	claim: () => msg("Show that the domain is yours"),
	reserve: () => msg("Set a place aside"),
	get: () => msg("Get the programs"),
	configure: () => msg("Write the configuration"),
	start: () => msg("Start the services"),
	account: () => msg("Make the first accounts"),
	check: () => msg("Check that everything answers from outside"),
	finish: () => msg("Hand over"),
	withdraw: () => msg("Take the domain's records back"),
	stop: () => msg("Stop the services"),
	keep: () => msg("Put the data aside"),
	restart: () => msg("Restart the services"),
	erase: () => msg("Erase all data"),
	verify: () => msg("Check that nothing is left"),
	password: () => msg("Set the new password"),
};

/** The verbs that have a sentence here, for the test. */
export const knownVerbs = { toService: Object.keys(toService), toAll: Object.keys(toAll) };

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
