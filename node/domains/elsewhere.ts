import { Problem } from "#protocol/problem.ts";
import { holderIn } from "./records.ts";

/** The Problem of a domain that somebody else serves; `name` is the ownership record's and `holder` what stands there. */
export function elsewhere(name: string, holder: string): Problem {
	return new Problem("domain-elsewhere", { domain: name.replace(/^_fediversity\./, ""), holder: holderIn(holder) });
}
