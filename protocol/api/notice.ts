import { z } from "zod";
import { Id, Moment } from "./page.ts";

export const NoticeView = z
	.object({
		id: Id,
		at: Moment,
		/** For translation: `deploy-done`, `deploy-stuck` … */
		kind: z.string(),
		/** The sentence in English. */
		text: z.string(),
		params: z.record(z.string(), z.string()),
		read: z.boolean(),
		/** Where in the panel it leads. */
		link: z.string().nullable(),
	})
	.meta({ id: "Notice" });

export const NoticesRead = z.strictObject({ upTo: Id });

export const NoticeSettings = z
	.strictObject({
		mail: z.boolean(),
		browser: z.boolean(),
		webhook: z.url().max(2000).nullable(),
		/** Whether good news goes out too; what went wrong always does. */
		successes: z.boolean().default(true),
	})
	.meta({ id: "NoticeSettings" });

/** The signing secret is told once, when the webhook is set (Standard Webhooks, `whsec_…`). */
export const NoticeSettingsSaved = z
	.object({ settings: NoticeSettings, webhookSecret: z.string().nullable() })
	.meta({ id: "NoticeSettingsSaved" });

export const DeliveryView = z
	.object({
		id: Id,
		/** What is being told. */
		notice: NoticeView,
		channel: z.enum(["mail", "webhook"]),
		state: z.enum(["waiting", "sent", "given-up"]),
		attempts: z.number().int(),
		lastError: z.string().nullable(),
		nextAttemptAt: Moment.nullable(),
	})
	.meta({ id: "Delivery" });
