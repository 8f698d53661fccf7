import { z } from "zod";
import { Id, Moment } from "./page.ts";

export const VoucherRequest = z.strictObject({
	/** Empty: every service this node can run. */
	services: z.array(z.string().max(40)).default([]),
	days: z.number().int().min(1).max(3650).default(30),
	uses: z.number().int().min(1).max(10_000).default(1),
	diskMiB: z.number().int().min(1).default(10_240),
	note: z.string().max(200).default(""),
});

export const VoucherView = z
	.object({
		id: Id,
		/** The first characters, to recognise it by. */
		hint: z.string(),
		services: z.array(z.string()),
		diskMiB: z.number().int(),
		uses: z.number().int(),
		used: z.number().int(),
		createdAt: Moment,
		expiresAt: Moment,
		note: z.string(),
	})
	.meta({ id: "Voucher" });

/** The only time the code itself is told. */
export const VoucherMade = VoucherView.extend({ code: z.string() }).meta({ id: "VoucherMade" });

export const CustomerView = z
	.object({
		id: Id,
		name: z.string(),
		email: z.string(),
		createdAt: Moment,
		deployments: z.number().int(),
		lastSeenAt: Moment.nullable(),
	})
	.meta({ id: "Customer" });

export const PasswordReset = z.object({ password: z.string() }).meta({ id: "PasswordReset" });

/** One thing `doctor` looked at. */
export const FindingView = z
	.object({
		check: z.string(),
		state: z.enum(["good", "warning", "bad"]),
		detail: z.string(),
		fix: z.string().nullable(),
	})
	.meta({ id: "Finding" });
