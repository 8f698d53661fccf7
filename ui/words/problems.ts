import { msg } from "@lit/localize";
import { fill, Problem, type ProblemCode } from "#protocol/problem.ts";
import { Unreachable } from "../controllers/sending.ts";
import { readable } from "./params.ts";

/** The sentences of protocol/problem.ts once more, where translators find them; a test keeps the two the same. */
const sentences: Readonly<Record<string, () => string>> = {
	"not-valid": () => msg("Some of what you sent does not fit; see the list"),
	"not-json": () => msg("The request is not valid JSON"),
	"too-large": () => msg("That is more than {limit}; send less"),
	"not-found": () => msg("There is nothing here; check the address"),
	"method-wrong": () => msg("This address takes only {allowed}"),
	"not-allowed": () => msg("You may not do this"),
	"not-signed-in": () => msg("Please sign in first"),
	"wrong-credentials": () => msg("E-mail or password is wrong"),
	"wrong-site": () => msg("This request came from another site and was not carried out"),
	"scope-missing": () => msg("This API token lacks the scope {scope}; make one that has it"),
	"too-many": () => msg("Too many attempts; wait {seconds} seconds and try again"),
	"key-reused": () => msg("This Idempotency-Key was used for a different request; use a new one"),
	"key-busy": () => msg("A request with this Idempotency-Key is still under way; ask again in a moment"),
	"our-fault": () =>
		msg("Something broke on our side; try again, and if it stays tell your provider this number: {id}"),
	"email-taken": () => msg("There is an account with this e-mail already; sign in instead"),
	"voucher-unknown": () => msg("There is no such voucher; check it for typing mistakes"),
	"voucher-spent": () => msg("This voucher has already been used; ask your provider for a new one"),
	"voucher-expired": () => msg("This voucher expired on {date}; ask your provider for a new one"),
	"voucher-needed": () => msg("You have no unused voucher; redeem one first"),
	"voucher-lacks": () => msg("Your voucher does not include {service}; ask your provider for one that does"),
	"domain-not-valid": () => msg("{domain} is not a domain name; write it like choir.example"),
	"domain-is-address": () => msg("{domain} is an IP address; a name such as choir.example is needed"),
	"domain-too-long": () => msg("A domain name has at most {limit} characters"),
	"domain-part-too-long": () => msg("Between two dots of a domain name there are at most {limit} characters"),
	"domain-has-more": () => msg("That has more in it than a domain; write just the domain, such as {domain}"),
	"domain-too-deep": () => msg("{domain} has too many parts; choose one name directly below {zone}"),
	"domain-is-suffix": () =>
		msg("{domain} is a public suffix, under which everybody registers names; use a name of your own below it"),
	"domain-is-reserved": () => msg("{domain} cannot be used here; choose another name"),
	"domain-taken": () => msg("{domain} already has services here"),
	"domains-too-many": () => msg("You have {limit} domains without services; forget one of them first"),
	"domain-elsewhere": () => msg("{domain} is already served by {holder}; move it from there instead"),
	"domain-unknown": () => msg("{domain} is not among your domains; add it first"),
	"domain-busy": () => msg("{domain} still carries a deployment; remove that first"),
	"domain-not-pointed": () => msg("The records of {domain} are not right yet; set the ones marked and check again"),
	"zone-refused": () => msg("The name server refused to change {name}: {reason}"),
	"zone-silent": () => msg("The name server at {server} does not answer"),
	"service-unknown": () => msg("There is no service called {service}"),
	"service-unavailable": () => msg("{service} cannot run on this node: {reason}"),
	"service-needs": () => msg("{service} needs {needs}; pick it too"),
	"service-clash": () => msg("{service} and {other} both want the address {host}; pick one of them"),
	"services-empty": () => msg("Pick at least one service"),
	"deployment-busy": () => msg("Another piece of work on this deployment is under way; wait until it ends"),
	"deployment-state": () => msg("This cannot be done while the deployment is {state}"),
	"confirmation-wrong": () => msg("Type {domain} exactly as it stands to confirm"),
	"credentials-shown": () => msg("The password was shown once already; set a new one"),
	"credentials-none": () => msg("{service} has no account of its own to hand over"),
	"password-unfit": () => msg("The password needs {least} to {most} characters"),
	"job-not-cancellable": () => msg("This can no longer be cancelled"),
	"job-not-retryable": () => msg("Only work that is stuck can be tried again; what was undone is started anew"),
	"job-hangs": () =>
		msg(
			"A step was told to stop and may still be at work; try again once it has ended, or ask your provider to restart the node",
		),
	"program-missing": () => msg("{program} is not installed on this node; {fix}"),
	"port-taken": () => msg("Port {port} is already in use by another program; stop it or choose another port"),
	"disk-full": () => msg("The disk at {folder} is full; free some space and try again"),
	"service-died": () => msg("{service} ended right after its start; its log says why"),
	"service-not-ready": () => msg("{service} did not answer within {seconds} seconds"),
	"took-too-long": () => msg("This took longer than {seconds} seconds and was stopped"),
	cancelled: () => msg("Cancelled"),
	"webhook-not-valid": () => msg("{url} cannot be a webhook; use a public https address"),
	"vault-key-missing": () =>
		msg("{file}, the key to this node's secrets, is missing; put it back from where you keep your copy"),
	"vault-key-exposed": () => msg("{file} can be read by others (its mode is {mode}); run chmod 600 on it"),
	"vault-key-unfit": () =>
		msg("{file} does not hold a master key; put the right file back from where you keep your copy"),
	"vault-key-other": () =>
		msg(
			"{file} is not the key that this node's secrets were sealed with; put the right one back from where you keep your copy",
		),
	"vault-damaged": () => msg("The secret {name} cannot be opened; bring the database back from a backup"),
	"mail-silent": () => msg("The mail server at {server} does not take our mail: {reason}"),
};

/** The codes that have a sentence here, for the test. */
export const knownCodes: readonly string[] = Object.keys(sentences);

/** A problem in the reader's language; one that is newer than this panel in the node's own words. */
export function problemSentence(code: string, params: Readonly<Record<string, string>>, otherwise: string): string {
	const sentence = sentences[code as ProblemCode]?.();
	return sentence ? fill(sentence, readable(params)) : otherwise;
}

/** What went wrong, for a person: an expected problem, nobody answering, or a fault of the node. */
export function sentenceOf(error: unknown): string {
	if (error instanceof Problem) return problemSentence(error.code, error.params, error.message);
	if (error instanceof Unreachable)
		return navigator.onLine
			? msg("The node does not answer; nothing you typed is lost. Try again in a moment")
			: msg("You are offline; nothing you typed is lost. Try again once you are connected");
	return msg("The node made a mistake; try again, and tell your provider if it stays so");
}
