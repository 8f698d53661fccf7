/** Taking what a peer has written, or refusing it with the first reason against it. */
import type { z } from "zod";
import { fromCanonical } from "./canonical.ts";

/** Makes the error for a reason such as `object/content: too long`. */
type Refuse = (why: string) => Error;

/** A value of this shape from its canonical JSON. */
export function read<S extends z.ZodType>(schema: S, text: string, refuse: Refuse): z.infer<S> {
	let value: unknown;
	try {
		value = fromCanonical(text);
	} catch (error) {
		throw refuse(
			error instanceof SyntaxError ? "it is not canonical JSON" : "it is nested too deep or holds what is no text",
		);
	}
	return fit(schema, value, refuse);
}

/** A value of this shape. */
export function fit<S extends z.ZodType>(schema: S, value: unknown, refuse: Refuse): z.infer<S> {
	const { data, error } = schema.safeParse(value);
	if (!error) return data as z.infer<S>;
	const [issue] = error.issues;
	throw refuse(`${issue?.path.join("/") || "it"}: ${issue?.message ?? "not valid"}`);
}
