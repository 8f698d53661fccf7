import { z } from "zod";
import { Password } from "./account.ts";
import { DomainName } from "./domain.ts";
import { Id, Moment } from "./page.ts";

/** The name of a first account: what goes before the @ in a Fediverse handle. */
export const Username = z.string().regex(/^[a-z0-9_]{1,30}$/, "Use 1 to 30 small letters, digits and _");

export const DeploymentRequest = z
	.strictObject({
		domain: DomainName,
		services: z.array(z.string().max(40)).max(20),
		/** The first account of every service. */
		username: Username.default("admin"),
		entitlement: Id.optional(),
	})
	.meta({ id: "DeploymentRequest" });

export const deploymentStates = [
	"starting",
	"arriving",
	"serving",
	"frozen",
	"moved",
	"removing",
	"kept",
	"restoring",
	"erasing",
	"gone",
] as const;

export const ProbeView = z.object({ what: z.string(), ok: z.boolean(), detail: z.string(), milliseconds: z.number() });

export const ServiceStatus = z
	.object({
		name: z.string(),
		title: z.string(),
		/** Where people find it. */
		address: z.string(),
		/** How people find the first account, such as `@admin@social.choir.example`. */
		handle: z.string().nullable(),
		health: z.enum(["well", "starting", "unwell", "stopped", "unknown"]),
		probes: z.array(ProbeView),
		checkedAt: Moment.nullable(),
		sizeBytes: z.number().nullable(),
		credentials: z.enum(["none", "unseen", "shown"]),
	})
	.meta({ id: "ServiceStatus" });

export const DeploymentView = z
	.object({
		id: Id,
		domain: z.string(),
		unicode: z.string(),
		state: z.enum(deploymentStates),
		services: z.array(ServiceStatus),
		/** The job at work on it, or the last one. */
		job: Id.nullable(),
		busy: z.boolean(),
		createdAt: Moment,
		/** When a removed deployment will be erased. */
		keptUntil: Moment.nullable(),
		/** The migration at work on it, or the last one. */
		migration: Id.nullable(),
		/** Where it moved to, or came from: the other provider's origin and name. */
		moved: z.object({ to: z.boolean(), origin: z.string(), provider: z.string() }).nullable(),
		/** Since when not all of its services have been well, once that is worth setting it up again; null: it is not. */
		unwellSince: Moment.nullable(),
		/** Where its customer may sign in by SSH, with how many keys, and whether these are the account's as they are now. */
		signIn: z
			.object({
				user: z.string(),
				address: z.string(),
				port: z.number().int(),
				keys: z.number().int(),
				current: z.boolean(),
			})
			.nullable(),
	})
	.meta({ id: "Deployment" });

/** 202: the work has been written down and will be done; watch it at `Location`. */
export const Accepted = z.object({ deployment: Id, job: Id }).meta({ id: "Accepted" });

export const RestartRequest = z.strictObject({ service: z.string().max(40).optional() });
export const Confirmation = z.strictObject({ domain: z.string().max(1000) });
export const Credentials = z
	.object({ username: z.string(), password: z.string(), address: z.string() })
	.meta({ id: "Credentials" });
export const PasswordSetting = z.strictObject({ password: Password });

export const HistoryEntry = z
	.object({
		seq: z.number().int(),
		at: Moment,
		/** For translation: `deploy-done`, `service-unwell`, `password-shown` … */
		kind: z.string(),
		text: z.string(),
		params: z.record(z.string(), z.string()),
		job: Id.nullable(),
	})
	.meta({ id: "HistoryEntry" });
