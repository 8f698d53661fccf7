import { msg } from "@lit/localize";
import { NewerProblem } from "#protocol/client.ts";
import { fill, Problem, type ProblemCode, problems } from "#protocol/problem.ts";
import { Unreachable } from "../controllers/sending.ts";
import { readable } from "./params.ts";
import { translated } from "./translated.ts";

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
