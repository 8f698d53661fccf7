import { randomUUID } from "node:crypto";
import { withContext } from "@logtape/logtape";
import type { Hono } from "hono";
import { type Audience, type Operation, type OperationName, operations } from "#protocol/api/operations.ts";
import { Problem } from "#protocol/problem.ts";
import { answerError } from "./errors.ts";
import type { Idempotency, Remembered } from "./idempotency.ts";
import type { AnyHandler, Caller, Routes, WebContext, WebEnv } from "./implement.ts";
import { fitting, jsonOf, queryOf } from "./request.ts";

export const base = "/api/v1";

export interface ApiParts {
	/** The handlers of all parts. */
	readonly routes: Routes;
	/** Whose operations these are: customers' on the public address, or staff's on the operators' socket. */
	readonly audiences: ReadonlySet<Audience>;
	/** Says who calls, or throws why they may not. */
	admit(c: WebContext, audience: Audience): Caller | null;
	readonly idempotency: Idempotency;
	/** Told of every answer: operation, status, seconds. */
	count?(name: OperationName, status: number, seconds: number): void;
	/** Put on every answer. */
	readonly headers: Readonly<Record<string, string>>;
	/** For tests: an answer with a field the contract does not have, or without one it has, is an error. */
	readonly checkAnswers?: boolean;
}

/**
 * Puts the API on a hono app, under `/api/v1`. Each operation is one handler and no middleware, and a handler that does not wait is
 * answered without waiting: hono and its Node adapter are fastest so.
 */
export function bindApi(app: Hono<WebEnv>, parts: ApiParts): void {
	for (const [name, handler] of parts.routes.handlers) {
		const operation: Operation = operations[name];
		if (!parts.audiences.has(operation.for)) continue;
		const [method = "", template = ""] = name.split(" ");
		const carryOut = carrier(name, operation, handler, parts);
		app.on(method, base + template.replaceAll(/\{(\w+)\}/g, ":$1"), (c) => answer(c, name, carryOut, parts));
	}
}

/** What is said at an address of the API where nothing is, or nothing by this method. */
export function nothingHere(app: Hono<WebEnv>, c: WebContext, headers: Readonly<Record<string, string>>): Response {
	const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
	const allowed = methods.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
	const problem =
		allowed.length > 0 ? new Problem("method-wrong", { allowed: allowed.join(", ") }) : new Problem("not-found");
	return answerError(problem, randomUUID(), headers);
}

type CarryOut = (c: WebContext) => Response | Remembered | Promise<Response | Remembered>;

function answer(c: WebContext, name: OperationName, carryOut: CarryOut, parts: ApiParts): Response | Promise<Response> {
	const started = performance.now();
	const request = randomUUID();
	const headers = { ...parts.headers, "x-request-id": request };
	const counted = (response: Response) => {
		parts.count?.(name, response.status, (performance.now() - started) / 1000);
		return response;
	};
	const done = (result: Response | Remembered) =>
		counted(result instanceof Response ? result : plain(result, headers, c.get("cookie")));
	const failed = (error: unknown) => counted(answerError(error, request, headers));
	try {
		const result = withContext({ request }, () => carryOut(c));
		return result instanceof Promise ? result.then(done).catch(failed) : done(result);
	} catch (error) {
		return failed(error);
	}
}

const isStaffs = ({ for: who }: Operation) => who === "staff" || who === "operator";

/** Checks a call, hands it to its handler, and makes the answer of what that gives. */
function carrier(name: OperationName, operation: Operation, handler: AnyHandler, parts: ApiParts): CarryOut {
	const { path, query, body, stream } = operation;
	const finish = (result: unknown) => (stream ? (result as Response) : remembered(name, operation, result, parts));
	const call = (c: WebContext, caller: Caller | null, given: unknown) => ({
		path: path && fitting(path, c.req.param()),
		query: query && fitting(query, queryOf(c)),
		body: body && fitting(body, given),
		customer: caller?.customer,
		caller: caller ?? undefined,
		c,
	});
	const writes = !name.startsWith("GET ");

	return (c) => {
		const caller = parts.admit(c, operation.for);
		c.set("caller", caller);
		if (writes) return write(c, caller);
		const result = handler(call(c, caller, undefined));
		return result instanceof Promise ? result.then(finish) : finish(result);
	};

	async function write(c: WebContext, caller: Caller | null) {
		const given = body && (await jsonOf(c));
		const checked = call(c, caller, given);
		const work = async () => finish(await handler(checked));
		const key = name.startsWith("POST ") ? c.req.header("idempotency-key") : undefined;
		const who = caller?.customer.id ?? (isStaffs(operation) ? "staff" : undefined);
		if (key === undefined || who === undefined) return work();
		const request = `POST ${c.req.path} ${JSON.stringify(given)}`;
		return parts.idempotency.once(who, fittingKey(key), request, work as () => Promise<Remembered>);
	}
}

function remembered(name: OperationName, operation: Operation, result: unknown, parts: ApiParts): Remembered {
	const [status, schema] = operation.answer;
	if (parts.checkAnswers) checkAnswer(name, operation, result);
	return {
		status,
		location: status === 202 ? jobAddress(name, result) : null,
		body: schema ? JSON.stringify(result) : null,
	};
}

/** Where accepted work can be watched: `Accepted` names its job, a job is one itself. */
function jobAddress(name: OperationName, result: unknown): string | null {
	const { job, id } = (result ?? {}) as { job?: string; id?: string };
	const jobs = name.startsWith("POST /staff/") ? "/staff/jobs/" : "/jobs/";
	return job || id ? `${base}${jobs}${job ?? id}` : null;
}

function plain({ status, location, body }: Remembered, headers: Record<string, string>, cookie?: string): Response {
	if (body !== null) headers["content-type"] = "application/json";
	if (location) headers["location"] = location;
	if (cookie) headers["set-cookie"] = cookie;
	return new Response(body, { status, headers });
}

function fittingKey(key: string): string {
	if (/^[\x21-\x7e]{1,200}$/.test(key)) return key;
	const detail = "Use 1 to 200 letters, digits and signs, such as a UUID";
	throw new Problem("not-valid", {}, { errors: [{ pointer: "/Idempotency-Key", detail }] });
}

function checkAnswer(name: OperationName, { answer: [, schema] }: Operation, result: unknown) {
	if (!schema && result !== undefined) throw new Error(`${name} answers something, but its answer is empty`);
	if (!schema) return;
	const sent = JSON.parse(JSON.stringify(result));
	const { success, data, error } = schema.safeParse(sent);
	if (!success) throw new Error(`${name} answers what the contract does not say: ${error.message}`);
	if (JSON.stringify(sorted(data)) !== JSON.stringify(sorted(sent)))
		throw new Error(`${name} answers more than the contract says: ${JSON.stringify(sent)}`);
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([one], [other]) => (one < other ? -1 : 1))
			.map(([name, inner]) => [name, sorted(inner)]),
	);
}
