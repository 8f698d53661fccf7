import { msg, str } from "@lit/localize";
import type { Step } from "../views.ts";
import { number } from "./numbers.ts";
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
	agree: () => msg("Agree with the other provider"),
	prepare: () => msg("Make room and get the programs"),
	copy: () => msg("Copy everything while it keeps running"),
	rehearse: () => msg("Try it at the new provider under a temporary name"),
	freeze: () => msg("Let the services rest"),
	rest: () => msg("Copy what has changed since"),
	verify: () => msg("Compare both copies to the last byte"),
	"hand-over": () => msg("Hand over to the new provider"),
	"take-over": () => msg("Take over from the old provider"),
	start: () => msg("Start the services at the new provider"),
	certificate: () => msg("Get certificates for the addresses"),
	domain: () => msg("Point the domain to the new provider"),
	serve: () => msg("See that it serves at the new provider, and send visitors on"),
	welcome: () => msg("Check that everything answers from outside"),
};

/** A step in the reader's language; one that is newer than this panel in the node's own words. */
export function stepSentence(step: Pick<Step, "verb" | "service" | "title">): string {
	const sentence = step.service ? toService[step.verb]?.(serviceTitle(step.service)) : toAll[step.verb]?.();
	return sentence ?? step.title;
}

/** What a step says of itself, as the reader writes numbers; the words it is made of are few, others stay as they are. */
export function stepNote(note: string): string {
	return note.split(" · ").map(fact).join(" · ");
}

const count = String.raw`(\d[\d,]*(?:\.\d+)?)`;

function fact(text: string): string {
	const local = text.replaceAll(new RegExp(count, "g"), (written) => number(Number(written.replaceAll(",", "")), 0));
	const [, done, all] = /^(\S+(?: \S+)?) of (\S+ \S+)$/.exec(local) ?? [];
	if (done && all) return msg(str`${done} of ${all}`);
	const [, items] = /^(\S+) items$/.exec(local) ?? [];
	return items ? msg(str`${items} items`) : local;
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
