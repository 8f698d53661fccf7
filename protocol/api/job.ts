import { z } from "zod";
import { Id, Moment } from "./page.ts";

export const StepView = z
	.object({
		/** Unique in its job, such as `start:snac`. */
		step: z.string(),
		/** What is done, for translation: `start`. */
		verb: z.string(),
		/** To what, if to one service: `snac`. */
		service: z.string().nullable(),
		/** The sentence in English. */
		title: z.string(),
		state: z.enum(["waiting", "running", "retrying", "done", "failed", "undoing", "undone", "stuck"]),
		startedAt: Moment.nullable(),
		endedAt: Moment.nullable(),
		expectedSeconds: z.number(),
		/** 0 to 1 where it can be told. */
		fraction: z.number().min(0).max(1).nullable(),
		/** One fact, such as `12 of 84 MB`. */
		note: z.string().nullable(),
		/** Why it failed, or is tried again. */
		problem: z.object({ code: z.string(), detail: z.string(), params: z.record(z.string(), z.string()) }).nullable(),
		attempt: z.number().int(),
		nextAttemptAt: Moment.nullable(),
	})
	.meta({ id: "Step" });

export const jobStates = ["waiting", "running", "cancelling", "done", "undone", "stuck"] as const;

export const JobHead = z
	.object({
		id: Id,
		/** `deploy`, `remove`, `erase`, `restore`, `restart`, `repair`, `set-password`, `leave`, `arrive`. */
		kind: z.string(),
		deployment: Id.nullable(),
		domain: z.string().nullable(),
		state: z.enum(jobStates),
		createdAt: Moment,
		startedAt: Moment.nullable(),
		endedAt: Moment.nullable(),
		expectedSeconds: z.number(),
		canCancel: z.boolean(),
		canRetry: z.boolean(),
	})
	.meta({ id: "JobHead" });

/** `seq` is the journal entry this view includes; follow `/jobs/{id}/events` from there. */
export const JobView = JobHead.extend({ seq: z.number().int(), steps: z.array(StepView) }).meta({ id: "Job" });

/**
 * Server-sent events of `/jobs/{id}/events`, `id:` = journal entry:
 * `step` carries a Step, `job` a JobHead. A reader that comes back with `Last-Event-ID` gets what it missed.
 */
export const JobsQuery = z.strictObject({
	after: z.string().max(200).optional(),
	limit: z.coerce.number().int().min(1).max(200).default(50),
	deployment: Id.optional(),
});

export const LogQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) });
export const LogView = z
	.object({ lines: z.array(z.object({ seq: z.number(), at: Moment, step: z.string().nullable(), line: z.string() })) })
	.meta({ id: "Log" });
