import { z } from "zod";
import { DomainName } from "./domain.ts";
import { Id, Moment } from "./page.ts";

const Trouble = z.object({ code: z.string(), detail: z.string(), params: z.record(z.string(), z.string()) });
const Check = z.object({ what: z.string(), ok: z.boolean(), detail: z.string() });
const SixWords = z.array(z.string()).length(6);

/** A provider as the other one knows it: its node's origin, its name, and whom the deployment belongs to there. */
const Other = z.object({ origin: z.string(), provider: z.string(), customer: z.string() });

/** What a customer asks for at the new provider. Without a domain, the customer must agree once more when one comes. */
export const MoveInRequest = z
	.strictObject({ domain: DomainName.optional(), entitlement: Id.optional() })
	.meta({ id: "MoveInRequest" });

export const moveInStates = ["waiting", "asked", "agreed", "moving", "done", "refused", "expired", "revoked"] as const;

/** A migration token's life at the new provider. */
export const MoveIn = z
	.object({
		id: Id,
		state: z.enum(moveInStates),
		/** The only domain it is good for; null: any. */
		domain: z.string().nullable(),
		/** What the voucher behind it includes; empty: all that this node can run. */
		services: z.array(z.string()),
		diskMiB: z.number(),
		createdAt: Moment,
		/** When it can no longer be pasted; null once it was. */
		expiresAt: Moment.nullable(),
		/** Who pasted it and wants to move what; null: nobody yet. */
		from: Other.nullable(),
		offer: z.object({ domain: z.string(), services: z.array(z.string()), bytes: z.number().nullable() }).nullable(),
		/** The same on both screens, or something is wrong. */
		words: SixWords.nullable(),
		deployment: Id.nullable(),
		job: Id.nullable(),
		problem: Trouble.nullable(),
	})
	.meta({ id: "MoveIn" });

/** 201: the token is shown this once. */
export const MoveInMade = MoveIn.extend({ token: z.string() }).meta({ id: "MoveInMade" });

export const Token = z.string().min(1).max(2000);

export const MovePlanRequest = z.strictObject({ token: Token });

/** What would happen, before anything does. */
export const MovePlan = z
	.object({
		to: Other.extend({ place: z.string().nullable(), terms: z.string().nullable() }),
		words: SixWords,
		/** Whether the customer must still agree in the new provider's panel. */
		asks: z.boolean(),
		services: z.array(
			z.object({
				name: z.string(),
				title: z.string(),
				here: z.string().nullable(),
				there: z.string().nullable(),
				bytes: z.number().nullable(),
			}),
		),
		bytes: z.number().nullable(),
		/** Room at the new provider, bytes. */
		room: z.number(),
		/** What stands against it; empty: it can begin. */
		problems: z.array(Trouble),
		/** Who sets the domain's records: this provider, the new one, or the customer. */
		records: z.enum(["here", "there", "you"]),
		/** Expected time until it serves there, and how much of that services rest. Seconds. */
		seconds: z.number(),
		freezeSeconds: z.number(),
		/** Days this provider keeps its copy afterwards. */
		keepDays: z.number().int(),
	})
	.meta({ id: "MovePlan" });

export const MoveRequest = z
	.strictObject({ token: Token, domain: z.string().max(1000), password: z.string().max(1000) })
	.meta({ id: "MoveRequest" });

/** Offer sheet of a node this one knows of. */
export const KnownProvider = z
	.object({
		origin: z.string(),
		name: z.string(),
		place: z.string().nullable(),
		jurisdiction: z.string().nullable(),
		services: z.array(z.object({ name: z.string(), title: z.string(), version: z.string().nullable() })),
		price: z.string().nullable(),
		limits: z.object({ bytes: z.number().nullable() }),
		backups: z.string().nullable(),
		freeBytes: z.number().nullable(),
		terms: z.string().nullable(),
		/** Whether it can take the deployment that was asked about; null: none was. */
		fits: z.boolean().nullable(),
		why: Trouble.nullable(),
		seenAt: Moment,
	})
	.meta({ id: "KnownProvider" });

export const KnownProvidersQuery = z.strictObject({ deployment: Id.optional() });

export const migrationStates = ["agreeing", "copying", "frozen", "handing-over", "moved", "undone", "stuck"] as const;

/** One migration, as either of the two providers knows it; its steps are those of its job. */
export const MigrationView = z
	.object({
		id: Id,
		/** `source`: away from here. */
		side: z.enum(["source", "target"]),
		domain: z.string(),
		deployment: Id,
		job: Id,
		state: z.enum(migrationStates),
		other: Other,
		words: SixWords,
		startedAt: Moment,
		endedAt: Moment.nullable(),
		rounds: z.array(
			z.object({
				round: z.number().int(),
				final: z.boolean(),
				entries: z.number().int(),
				/** What the volumes hold, and what had to come over the wire. */
				bytes: z.number(),
				moved: z.number().nullable(),
				seconds: z.number().nullable(),
			}),
		),
		rehearsal: z.object({ ok: z.boolean(), checks: z.array(Check), seconds: z.number() }).nullable(),
		/** Since when services rest, and until when; how long it was expected to take and may take at most, seconds. */
		frozenAt: Moment.nullable(),
		thawedAt: Moment.nullable(),
		freeze: z.object({ expected: z.number().nullable(), measured: z.number().nullable(), most: z.number() }),
		/** Of the final round at both sides; the digest is the manifest's. */
		counts: z.object({ entries: z.number().int(), bytes: z.number(), manifest: z.string() }).nullable(),
		/** Requests that came here for services that rested, and that were handed on to the new provider. */
		deferred: z.number().int(),
		forwarded: z.number().int(),
		/** Until when requests are handed on, and until when the old copy is kept; null: not come to that. */
		forwardingUntil: Moment.nullable(),
		/** Of the copy at the source: there as it will be, at the target as it was promised. */
		keptUntil: Moment.nullable(),
		erasedAt: Moment.nullable(),
		/** Whether there is a receipt to keep. */
		receipt: z.boolean(),
	})
	.meta({ id: "Migration" });
