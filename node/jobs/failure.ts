import { Problem } from "#protocol/problem.ts";
import { type FailureView, Final } from "./saga.ts";

/** What may be written down and shown of an error: a Problem tells its code, anything else is a bug and tells nothing. */
export function failureOf(error: unknown): FailureView {
	const known = error instanceof Final && error.cause ? error.cause : error;
	if (known instanceof Problem) return { code: known.code, detail: known.message, params: known.params };
	return {
		code: "bug",
		detail: "Something in the node went wrong; your provider finds the reason in its log",
		params: {},
	};
}

/** Whether trying again could help. */
export function isFinal(error: unknown): boolean {
	return error instanceof Final || (error instanceof Problem && error.status < 500);
}
