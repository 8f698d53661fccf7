import type { z } from "zod";
import { type FieldProblem, Problem } from "#protocol/problem.ts";
import type { WebContext } from "./implement.ts";

/** Bodies are small forms; the largest field is an SSH key of 8 KiB. */
const mostBytes = 64 * 1024;

/** Checks a part of a request; throws `not-valid` with every mistake in words. */
export function fitting<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
	const { success, data, error } = schema.safeParse(value);
	if (success) return data;
	throw new Problem("not-valid", {}, { errors: error.issues.flatMap(mistakes) });
}

/** The query as a record; of a name given twice the last counts. */
export function queryOf(c: WebContext): Record<string, string> {
	const { url } = c.req.raw;
	const mark = url.indexOf("?");
	return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark)));
}

/** The body as JSON. Throws `too-large` before it has read more than the limit, and `not-json`, also for another media type. */
export async function jsonOf(c: WebContext): Promise<unknown> {
	if (!/^application\/json(?:;|$)/i.test(c.req.header("content-type") ?? "")) throw new Problem("not-json");
	const text = await textOf(c);
	try {
		return JSON.parse(text);
	} catch {
		throw new Problem("not-json");
	}
}

/** Node holds a sender to its `Content-Length`; a body without one is counted while it comes. */
async function textOf(c: WebContext): Promise<string> {
	const length = c.req.header("content-length");
	if (Number(length) > mostBytes) throw tooLarge();
	if (length !== undefined && c.env?.incoming) return c.req.text();
	const pieces: Uint8Array[] = [];
	let bytes = 0;
	for await (const piece of c.req.raw.body ?? []) {
		bytes += piece.byteLength;
		if (bytes > mostBytes) throw tooLarge();
		pieces.push(piece);
	}
	return Buffer.concat(pieces).toString();
}

const tooLarge = () => new Problem("too-large", { limit: `${mostBytes / 1024} KiB` });

function mistakes(issue: z.core.$ZodIssue): FieldProblem[] {
	if (issue.code === "unrecognized_keys")
		return issue.keys.map((key) => ({ pointer: pointer([...issue.path, key]), detail: "There is no such field" }));
	return [{ pointer: pointer(issue.path), detail: said(issue) }];
}

/** JSON Pointer (RFC 6901). */
function pointer(path: readonly PropertyKey[]): string {
	return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

const formats: Readonly<Record<string, string>> = {
	email: "This is not an e-mail address",
	url: "This is not a web address",
	datetime: "Write a moment like 2026-11-22T12:00:00Z",
};

function said(issue: z.core.$ZodIssue): string {
	switch (issue.code) {
		case "invalid_type":
			return issue.input === undefined && /undefined$/.test(issue.message)
				? "This is missing"
				: `This must be ${kind(issue)}`;
		case "too_small":
			return bound("at least", issue.origin, Number(issue.minimum));
		case "too_big":
			return bound("at most", issue.origin, Number(issue.maximum));
		case "invalid_value":
			return `Use one of ${issue.values.map(String).join(", ")}`;
		case "invalid_format":
			return (
				formats[issue.format] ??
				(issue.message.startsWith("Invalid") ? "This does not have the right form" : issue.message)
			);
		default:
			return "This does not fit";
	}
}

function kind({ expected }: z.core.$ZodIssueInvalidType): string {
	const words: Record<string, string> = {
		string: "a text",
		number: "a number",
		int: "a whole number",
		boolean: "true or false",
		array: "a list",
		object: "an object",
	};
	return words[expected] ?? `a ${expected}`;
}

function bound(which: string, origin: string, limit: number): string {
	if (origin === "string" && limit === 1 && which === "at least") return "This is empty";
	if (origin === "string") return `Use ${which} ${limit} character${limit === 1 ? "" : "s"}`;
	if (origin === "array") return `Give ${which} ${limit}`;
	return `Use a number of ${which} ${limit}`;
}
