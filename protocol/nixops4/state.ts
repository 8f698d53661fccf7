/** The state document that NixOps4 reads from a state-providing resource and changes by patches; snake_case, as the tool writes it. */
import * as z from "zod";

const properties = z.record(z.string(), z.json());

/** One resource as it was last made true. All three are needed, or NixOps4 refuses the whole document. */
export const RecordedResource = z.strictObject({
	type: z.string(),
	input_properties: properties,
	output_properties: properties,
});

/** What is recorded of one composite: its resources, and the composites in it by their names. */
export const RecordedComposite = z.strictObject({
	resources: z.record(z.string(), RecordedResource).optional(),
	get deployments(): z.ZodOptional<z.ZodRecord<z.ZodString, typeof RecordedComposite>> {
		return z.record(z.string(), RecordedComposite).optional();
	},
});

/** The whole of it. */
export const NixopsState = RecordedComposite.extend({ _type: z.literal("nixopsState") });
export type NixopsState = z.infer<typeof NixopsState>;

/** With which every deployment begins. */
export const emptyState: NixopsState = { _type: "nixopsState", resources: {}, deployments: {} };
