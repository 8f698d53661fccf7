import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { z } from "zod";
import type { Scope } from "#protocol/api/account.ts";
import type { OperationName, Operations } from "#protocol/api/operations.ts";
import type { Customer } from "../customers/customer.ts";

/** What hono knows of a request: Node's own objects behind it (none under `app.request()`), and who calls. */
export interface WebEnv {
	Bindings: Partial<HttpBindings>;
	/** `cookie` goes out with the answer; no other header a handler sets does. */
	Variables: { caller: Caller | null; cookie?: string };
}
export type WebContext = Context<WebEnv>;

/** Who calls, and by which session or API token. `valid` looks again: a long stream ends when it turns false. */
export interface Caller {
	readonly customer: Customer;
	readonly session: string | null;
	/** Whether the password was said in this session not long ago. */
	readonly fresh: boolean;
	readonly token: { readonly id: string; readonly expiresAt: number } | null;
	readonly scopes: readonly z.infer<typeof Scope>[];
	valid(): boolean;
}

type Part<Name extends OperationName, Which extends "path" | "query" | "body"> =
	Operations[Name] extends Record<Which, infer Schema extends z.ZodType> ? z.output<Schema> : undefined;

type ForCustomers<Name extends OperationName, Yes> = Operations[Name]["for"] extends "everybody" | "staff" | "operator"
	? undefined
	: Yes;

/** One call of an operation, checked: its parts fit their schemas and the caller may make it. */
export interface Call<Name extends OperationName> {
	readonly path: Part<Name, "path">;
	readonly query: Part<Name, "query">;
	readonly body: Part<Name, "body">;
	/** The signed-in customer; undefined where everybody may call, or staff on the operators' socket. */
	readonly customer: ForCustomers<Name, Customer>;
	readonly caller: ForCustomers<Name, Caller>;
	readonly c: WebContext;
}

/** What its handler gives back: the answer the contract names, nothing where it is empty, a Response for a stream. */
export type Result<Name extends OperationName> = Operations[Name] extends { stream: true }
	? Response
	: Operations[Name]["answer"][1] extends infer Schema extends z.ZodType
		? z.output<Schema>
		: void;

export type Handler<Name extends OperationName> = (call: Call<Name>) => Result<Name> | Promise<Result<Name>>;

/** A handler whose types are no longer known; only `web/api.ts` calls it, after it has checked the parts. */
export type AnyHandler = (call: unknown) => unknown;

/** The handlers of all parts, by operation. Each part's `routes.ts` fills in its own. */
export class Routes {
	readonly handlers = new Map<OperationName, AnyHandler>();
}

/**
 * Gives an operation of the contract its code. Statuses, checks, `Location` and problem documents are the API's business:
 * a handler takes checked parts and returns the plain answer, or throws a Problem. A second handler for one operation is a bug.
 *
 *     implement(routes, "GET /deployments", ({ customer, query }) => deployments.page(customer.id, query));
 */
export function implement<Name extends OperationName>(routes: Routes, name: Name, handler: Handler<Name>): void {
	if (routes.handlers.has(name)) throw new Error(`${name} has a handler already`);
	routes.handlers.set(name, handler as AnyHandler);
}
