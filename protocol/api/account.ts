import { z } from "zod";
import { Id, Moment } from "./page.ts";

export const languages = ["en", "de"] as const;
export const Language = z.enum(languages);

/** 12 characters at least (NIST SP 800-63B-4 asks for 15 without a second factor, 8 with); no rules about their kind. */
export const passwordLength = { least: 12, most: 256 };
export const Password = z.string().min(passwordLength.least).max(passwordLength.most);
export const Email = z.email().max(254);

export const SignUp = z.strictObject({
	voucher: z.string().min(1).max(100),
	email: Email,
	password: Password,
	name: z.string().trim().min(1).max(100),
	language: Language.default("en"),
});

export const SignIn = z.strictObject({ email: z.string().max(254), password: z.string().max(1024) });

export const Me = z
	.object({
		...{ id: Id, name: z.string(), email: z.string(), language: Language, createdAt: Moment },
		/** Whether this account may do what provider staff does. */
		staff: z.boolean(),
	})
	.meta({ id: "Me" });

export const MeChange = z.strictObject({
	name: z.string().trim().min(1).max(100).optional(),
	language: Language.optional(),
});

export const PasswordChange = z.strictObject({ current: z.string().max(1024), next: Password });

export const Confirmation = z.strictObject({ password: z.string().max(1024) });

export const SessionView = z
	.object({ id: Id, current: z.boolean(), agent: z.string(), createdAt: Moment, lastSeenAt: Moment })
	.meta({ id: "Session" });

/** What a script may do with a token: look, change deployments, or change the account too. */
export const scopes = ["read", "deploy", "account"] as const;
export const Scope = z.enum(scopes);

export const TokenRequest = z.strictObject({
	name: z.string().trim().min(1).max(100),
	scopes: z.array(Scope).min(1),
	days: z.number().int().min(1).max(365).default(90),
});

export const TokenView = z
	.object({
		id: Id,
		name: z.string(),
		scopes: z.array(Scope),
		createdAt: Moment,
		expiresAt: Moment,
		lastUsedAt: Moment.nullable(),
	})
	.meta({ id: "Token" });

/** The only time the token itself is told. */
export const TokenMade = TokenView.extend({ token: z.string() }).meta({ id: "TokenMade" });

export const SshKeyRequest = z.strictObject({
	name: z.string().trim().min(1).max(100),
	key: z.string().trim().min(1).max(8192),
});

export const SshKeyView = z
	.object({ id: Id, name: z.string(), key: z.string(), fingerprint: z.string(), createdAt: Moment })
	.meta({ id: "SshKey" });

/** What a voucher gives: services to choose from, for one domain. */
export const EntitlementView = z
	.object({
		id: Id,
		services: z.array(z.string()),
		diskMiB: z.number().int(),
		deployment: Id.nullable(),
		redeemedAt: Moment,
	})
	.meta({ id: "Entitlement" });

export const Redeem = z.strictObject({ voucher: z.string().min(1).max(100) });
