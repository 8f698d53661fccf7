import type { z } from "zod";
import type { FindingView } from "#protocol/api/staff.ts";

/** One thing that was looked at: how it is, and what to do if it is not good. */
export type Finding = z.output<typeof FindingView>;

/** A look at one thing. May give several findings, or none where it does not apply. Throws nothing it expects. */
export type Check = () => Promise<Finding | readonly Finding[]>;

export function good(check: string, detail: string): Finding {
	return { check, state: "good", detail, fix: null };
}

/** It works, and will or may not for long. */
export function warning(check: string, detail: string, fix: string): Finding {
	return { check, state: "warning", detail, fix };
}

/** It does not work. */
export function bad(check: string, detail: string, fix: string): Finding {
	return { check, state: "bad", detail, fix };
}
