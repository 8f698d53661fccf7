import { expect, test } from "vitest";
import type { Patch } from "#protocol/nixops4/messages.ts";
import { NixopsState } from "#protocol/nixops4/state.ts";
import { patched, Unfit } from "./patching.ts";

const resource = { type: "probe", input_properties: { a: 1 }, output_properties: {} };
const document = () =>
	structuredClone(
		NixopsState.parse({
			_type: "nixopsState",
			resources: { x: resource },
			deployments: { fedi: { resources: { y: resource }, deployments: {} } },
		}),
	);

const after = (...patch: Patch) => {
	const changed = document();
	patched(changed, patch);
	return changed;
};

test.each<[what: string, ...patch: Patch]>([
	["a resource", { op: "add", path: "/resources/z", value: resource }],
	["a resource deep in it", { op: "add", path: "/deployments/fedi/resources/z", value: resource }],
	["a composite as a whole", { op: "add", path: "/deployments/new", value: { resources: {}, deployments: {} } }],
	["a changed output", { op: "add", path: "/resources/x/output_properties/url", value: "https://a.example" }],
	[
		"a changed input",
		{ op: "replace", path: "/deployments/fedi/resources/y/input_properties/a", value: [1, { b: null }] },
	],
	["a name with a slash", { op: "add", path: "/resources/a~1b~0c", value: resource }],
	["a removal", { op: "remove", path: "/resources/x" }],
	["a test that holds", { op: "test", path: "/resources/x/type", value: "probe" }],
])("takes %s, and a state comes of it", (_, ...patch) => {
	const changed = after(...patch);
	expect(NixopsState.parse(changed)).toEqual(changed);
});

test("makes of a patch what RFC 6902 says", () => {
	expect(
		after({ op: "remove", path: "/deployments/fedi" }, { op: "replace", path: "/resources/x/type", value: "machine" }),
	).toEqual({
		_type: "nixopsState",
		resources: { x: { ...resource, type: "machine" } },
		deployments: {},
	});
});

test.each<[what: string, ...patch: Patch]>([
	["to remove what is not there", { op: "remove", path: "/resources/z" }],
	["to replace what is not there", { op: "replace", path: "/resources/z", value: resource }],
	["to add what is there", { op: "add", path: "/resources/x", value: resource }],
	["to add into what is not there", { op: "add", path: "/deployments/none/resources/x", value: resource }],
	["a test that does not hold", { op: "test", path: "/resources/x/type", value: "machine" }],
	["another kind of document", { op: "replace", path: "/_type", value: "other" }],
	["another whole document", { op: "replace", path: "", value: { _type: "nixopsState" } }],
	["something unknown beside the resources", { op: "add", path: "/secrets", value: {} }],
	["a resource without outputs", { op: "add", path: "/resources/z", value: { type: "probe", input_properties: {} } }],
	["a resource that loses its type", { op: "remove", path: "/resources/x/type" }],
	["camelCase", { op: "add", path: "/resources/x/inputProperties", value: {} }],
	["a resource that is a text", { op: "replace", path: "/resources/x", value: "probe" }],
	["a composite with more in it", { op: "add", path: "/deployments/new", value: { resources: {}, more: 1 } }],
	["resources that are a list", { op: "replace", path: "/resources", value: [] }],
	["a way to every object's prototype", { op: "add", path: "/__proto__/polluted", value: true }],
	["a prototype as a name", { op: "add", path: "/resources/constructor", value: resource }],
	["what lies in a text", { op: "add", path: "/resources/x/type/0", value: "P" }],
])("refuses %s", (_, ...patch) => {
	expect(() => after(...patch)).toThrow(Unfit);
	expect(({} as { polluted?: true }).polluted).toBeUndefined();
});
