import type { z } from "zod";
import type { OperationName, Operations } from "./api/operations.ts";
import { Problem, type ProblemDocument, problems } from "./problem.ts";

type Input<Name extends OperationName, Part extends "path" | "query" | "body"> =
	Operations[Name] extends Record<Part, infer Schema extends z.ZodType> ? { [_ in Part]: z.input<Schema> } : unknown;

/** What a call of this operation takes: its path, query and body, as far as it has them. */
export type Call<Name extends OperationName> = Input<Name, "path"> &
	Partial<Input<Name, "query">> &
	Input<Name, "body"> & { signal?: AbortSignal; idempotencyKey?: string };

/** What it gives. */
export type Answer<Name extends OperationName> = Operations[Name]["answer"][1] extends infer Schema extends z.ZodType
	? z.output<Schema>
	: undefined;

type Arguments<Name extends OperationName> = object extends Call<Name> ? [call?: Call<Name>] : [call: Call<Name>];

export type Client = <Name extends OperationName>(name: Name, ...call: Arguments<Name>) => Promise<Answer<Name>>;

interface AnyCall {
	path?: Record<string, string>;
	query?: Record<string, unknown>;
	body?: unknown;
	signal?: AbortSignal;
	idempotencyKey?: string;
}

/**
 * Calls the API by the names in `operations`, with their types and none of their code.
 * `send` is `fetch`, or anything like it; `base` ends without a slash. A problem document is thrown as a `Problem`.
 */
export function client(send: typeof fetch, base = "/api/v1", headers: Record<string, string> = {}): Client {
	const call = async (name: OperationName, options: AnyCall = {}) => {
		const [method = "", template = ""] = name.split(" ");
		const response = await send(base + addressOf(template, options), {
			method,
			headers: {
				...headers,
				...(options.body !== undefined && { "content-type": "application/json" }),
				...(options.idempotencyKey && { "idempotency-key": options.idempotencyKey }),
			},
			...(options.body !== undefined && { body: JSON.stringify(options.body) }),
			...(options.signal && { signal: options.signal }),
		});
		if (!response.ok) throw await problemOf(response);
		const body = await response.text();
		return body === "" ? undefined : JSON.parse(body);
	};
	return call as Client;
}

/** The path with its places filled, and the query behind it. */
export function addressOf(template: string, { path = {}, query = {} }: AnyCall): string {
	const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ""));
	const given = Object.entries(query).filter(([, value]) => value !== undefined);
	const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
	return given.length > 0 ? `${filled}?${search}` : filled;
}

/** A problem whose code is newer than this program; its message is the node's own sentence. */
export class NewerProblem extends Error {
	override readonly name = "NewerProblem";
}

/** The node says what is wrong in a problem document; whatever else comes back says only that something is. */
async function problemOf(response: Response): Promise<Error> {
	if (!response.headers.get("content-type")?.startsWith("application/problem+json"))
		return new Error(`The node answered ${response.status}`);
	const { code, params, errors, detail } = (await response.json()) as ProblemDocument;
	if (!(code in problems)) return new NewerProblem(detail);
	return new Problem(code, params ?? {}, errors ? { errors } : {});
}
