/** What we take and give is what the JSON Schema of the protocol says: not less and not more. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Answer, Request } from "#protocol/nixops4/messages.ts";
import { followsSchema } from "./schema.ts";

const resource = { type: "probe", inputProperties: { a: [1, null] }, outputProperties: {} };
const patch = [{ op: "add", path: "/resources/a~1b", value: { deep: [true] } }];
const requests = {
	createResourceRequest: { type: "probe", inputProperties: {}, isStateful: false },
	updateResourceRequest: { resource, inputProperties: {} },
	stateResourceReadRequest: { resource: { type: "state", inputProperties: {} } },
	stateResourceEvent: { resource, event: "create", nixopsVersion: "0.1.0", patch },
};
const answers = {
	createResourceResponse: { outputProperties: { url: "https://a.example" } },
	updateResourceResponse: { outputProperties: {} },
	stateResourceReadResponse: { state: { _type: "nixopsState" } },
	stateResourceEventResponse: {},
	errorResponse: { message: "no" },
};

const sides = [
	["request", Request, requests],
	["answer", Answer, answers],
] as const;

describe.each(sides)("%s", (side, ours, all) => {
	const theirs = followsSchema[side];
	const both = (message: unknown) => [ours.safeParse(message).success, theirs(message)];

	test.each(Object.entries(all))("%s is one, and nothing may be missing or be beside it", (name, content) => {
		expect(both({ [name]: content })).toEqual([true, true]);
		for (const key of Object.keys(content)) {
			const { [key]: _, ...rest } = content as Record<string, unknown>;
			expect(both({ [name]: rest }), key).toEqual([false, false]);
			expect(both({ [name]: { ...content, [key]: 7 } }), key).toEqual([false, false]);
		}
		expect(both({ [name]: { ...content, more: 1 } })).toEqual([false, false]);
		expect(both({ [name]: content, more: {} })).toEqual([false, false]);
	});

	test("whatever is made of them, ours and the schema say the same of it", () => {
		const names = fc.constantFrom(...Object.keys(requests), ...Object.keys(answers), "deleteResourceRequest");
		const keys = fc.constantFrom(
			...["type", "inputProperties", "isStateful", "resource", "event", "nixopsVersion", "patch", "message", "more"],
			...["outputProperties", "state", "op", "path", "value", "from"],
		);
		const { value } = fc.letrec((tie) => ({
			value: fc.oneof(
				{ depthSize: "small" },
				fc.constantFrom(0, "", "add", "remove", "/a~1", "/~2", true, null, resource, patch, {}, []),
				fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
				fc.array(tie("value"), { maxLength: 2 }),
			),
		}));
		const known = fc.constantFrom(...Object.values({ ...requests, ...answers }));
		const changed = fc
			.tuple(known, fc.dictionary(keys, value, { maxKeys: 1 }))
			.map(([one, more]) => ({ ...one, ...more }));
		fc.assert(
			fc.property(fc.dictionary(names, fc.oneof(changed, value), { maxKeys: 2 }), (message) => {
				const plain = JSON.parse(JSON.stringify(message));
				expect(new Set(both(plain)).size, JSON.stringify(plain)).toBe(1);
			}),
			{ numRuns: 1000 },
		);
	});
});
