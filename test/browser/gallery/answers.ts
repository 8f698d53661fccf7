import type { OperationName } from "#protocol/api/operations.ts";
import type { Answer } from "#protocol/client.ts";
import type { Problem } from "#protocol/problem.ts";

/** What a request brought. */
export interface Asked {
	path: Readonly<Record<string, string>>;
	query: URLSearchParams;
	body: unknown;
	headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** One connection to an event stream. `send` writes an event; it closes when the script returns. */
export interface Connection {
	after: number;
	send(seq: number, event: string, data: unknown): void;
	/** Resolves when the reader has gone. */
	gone: Promise<void>;
}

/** The answer to one operation: said outright, made from the question, a problem, or none for ever. */
type Reply<Name extends OperationName> =
	| Answer<Name>
	| Problem
	| typeof never
	| ((asked: Asked) => Answer<Name> | Problem | typeof never);

/** The node does not answer, as when a network swallows packets. */
export const never = Symbol("never");

export type Answers = { [Name in OperationName]?: Reply<Name> };
export type Streams = { [Name in OperationName]?: (connection: Connection) => Promise<void> };

/** A node as the panel would find it: canned, typed, and nothing behind it. */
export interface World {
	answers: Answers;
	streams?: Streams;
	/** Nothing listens to the API any more: connections to it are cut. */
	dead?: boolean;
}
