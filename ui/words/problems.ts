import { msg } from "@lit/localize";
import { NewerProblem } from "#protocol/client.ts";
import { fill, Problem, type ProblemCode, problems } from "#protocol/problem.ts";
import { Unreachable } from "../controllers/sending.ts";
import { readable } from "./params.ts";
import { translated } from "./translated.ts";

/** What the node may find wrong with a domain that was typed; shown at the field for it. */
export const ofDomain: Readonly<Record<string, "domain">> = Object.fromEntries(
	["not-valid", "is-address", "has-more", "too-long", "part-too-long", "is-suffix", "is-reserved", "too-deep"]
		.concat("taken", "elsewhere")
		.map((code) => [`domain-${code}`, "domain"]),
);

/** What may be wrong with a migration token that was pasted. */
export const ofToken: Readonly<Record<string, "token">> = Object.fromEntries(
	["token-not-valid", "token-damaged", "token-insecure", "token-newer", "token-unknown", "token-expired"]
		.concat("token-used", "token-other-domain")
		.concat("node-silent", "node-unfit", "node-address", "node-not-accepted")
		.map((code) => [code, "token"]),
);

/** A problem in the reader's language; one that is newer than this panel in the node's own words. */
export function problemSentence(code: string, params: Readonly<Record<string, string>>, otherwise: string): string {
	const known = problems[code as ProblemCode];
	return known ? fill(translated(known[1]), readable(params)) : otherwise;
}

/** What went wrong, for a person: an expected problem, nobody answering, or a fault of the node. */
export function sentenceOf(error: unknown): string {
	if (error instanceof Problem) return problemSentence(error.code, error.params, error.message);
	if (error instanceof NewerProblem) return error.message;
	if (error instanceof Unreachable)
		return navigator.onLine
			? msg("The node does not answer; nothing you typed is lost. Try again in a moment")
			: msg("You are offline; nothing you typed is lost. Try again once you are connected");
	return msg("The node made a mistake; try again, and tell your provider if it stays so");
}
