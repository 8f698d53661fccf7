import { Problem, type ProblemCode, problems } from "#protocol/problem.ts";

/** What went wrong on the other side, as it crosses the line. */
export interface FailureMessage {
	/** Of a Problem, or of the operating system. */
	readonly code?: string;
	readonly params?: Record<string, string>;
	readonly detail: string;
}

export function messageOf(error: unknown): FailureMessage {
	if (error instanceof Problem) return { code: error.code, params: error.params, detail: error.message };
	const { code, message } = error as NodeJS.ErrnoException;
	return { ...(typeof code === "string" && { code }), detail: String(message ?? error) };
}

/** The same failure on this side: a Problem if it was one, else an error with the same code, as the system's have one. */
export function failureOf({ code, params, detail }: FailureMessage): Error {
	if (code !== undefined && Object.hasOwn(problems, code)) return new Problem(code as ProblemCode, params);
	return Object.assign(new Error(detail), code !== undefined && { code });
}
