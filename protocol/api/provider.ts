import { z } from "zod";

/** Who runs this node, for everybody to see. */
export const ProviderView = z
	.object({
		name: z.string(),
		promise: z.string(),
		place: z.string(),
		url: z.string(),
		accent: z.string().nullable(),
		logo: z.string().nullable(),
		terms: z.string().nullable(),
		help: z.string().nullable(),
		/** Days a removed deployment is kept before it is erased. */
		keepDays: z.number().int(),
		/** Domains under these names get their records from the provider itself. */
		zones: z.array(z.string()),
		engine: z.string(),
		/** Whether customers may sign in to machines with the SSH keys of their account. */
		customerSsh: z.boolean(),
		demo: z.boolean(),
		version: z.string(),
	})
	.meta({ id: "Provider" });

/** One service as a card: what it is, what it asks for, and whether this node can run it. */
export const ServiceCard = z
	.object({
		name: z.string(),
		title: z.string(),
		promise: z.string(),
		goodFor: z.string(),
		host: z.string().nullable(),
		needs: z.array(z.string()),
		size: z.object({ memoryMiB: z.number(), diskMiB: z.number(), growth: z.string() }),
		website: z.string(),
		canRun: z.boolean(),
		/** Why not, and what would help, in words for the customer. */
		why: z.string().nullable(),
		whyCode: z.enum(["needs-engine", "needs-program", "needs-platform"]).nullable(),
		/** What is missing: the engine's or the program's name. */
		missing: z.string().nullable(),
	})
	.meta({ id: "ServiceCard" });
