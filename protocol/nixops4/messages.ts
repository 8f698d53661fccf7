/**
 * What NixOps4 and a resource provider say to each other: the resource provider protocol "v0", one JSON value a line,
 * see https://nixops.dev/manual/development/resource-provider/. Every message is an object with one key that names it.
 * NixOps4 writes one request and reads one answer, in turn. All is strict: what is not known is an error.
 */
import * as z from "zod";

const properties = z.record(z.string(), z.json());

/** A resource as it was made, or as it was last updated. */
export const ExtantResource = z.strictObject({
	type: z.string(),
	inputProperties: properties,
	outputProperties: properties.optional(),
});
export type ExtantResource = z.infer<typeof ExtantResource>;

const path = z.string().regex(/^(\/([^~/]|~[01])*)*$/, "is no JSON pointer");

/** One change of a document, RFC 6902. */
export const PatchOperation = z.discriminatedUnion("op", [
	z.strictObject({ op: z.enum(["add", "replace", "test"]), path, value: z.json() }),
	z.strictObject({ op: z.literal("remove"), path }),
	z.strictObject({ op: z.enum(["move", "copy"]), path, from: path }),
]);
export const Patch = z.array(PatchOperation);
export type Patch = z.infer<typeof Patch>;

const requests = {
	createResourceRequest: z.strictObject({ type: z.string(), inputProperties: properties, isStateful: z.boolean() }),
	updateResourceRequest: z.strictObject({ resource: ExtantResource, inputProperties: properties }),
	stateResourceReadRequest: z.strictObject({ resource: ExtantResource }),
	stateResourceEvent: z.strictObject({
		resource: ExtantResource,
		event: z.string(),
		nixopsVersion: z.string(),
		patch: Patch,
	}),
} as const;

const answers = {
	createResourceResponse: z.strictObject({ outputProperties: properties }),
	updateResourceResponse: z.strictObject({ outputProperties: properties }),
	stateResourceReadResponse: z.strictObject({ state: properties }),
	stateResourceEventResponse: z.strictObject({}),
	errorResponse: z.strictObject({ message: z.string() }),
} as const;

/** One line to a provider. */
export const Request = z.union([
	z.strictObject({ createResourceRequest: requests.createResourceRequest }),
	z.strictObject({ updateResourceRequest: requests.updateResourceRequest }),
	z.strictObject({ stateResourceReadRequest: requests.stateResourceReadRequest }),
	z.strictObject({ stateResourceEvent: requests.stateResourceEvent }),
]);
export type Request = z.infer<typeof Request>;

/** One line from a provider. */
export const Answer = z.union([
	z.strictObject({ createResourceResponse: answers.createResourceResponse }),
	z.strictObject({ updateResourceResponse: answers.updateResourceResponse }),
	z.strictObject({ stateResourceReadResponse: answers.stateResourceReadResponse }),
	z.strictObject({ stateResourceEventResponse: answers.stateResourceEventResponse }),
	z.strictObject({ errorResponse: answers.errorResponse }),
]);
export type Answer = z.infer<typeof Answer>;
