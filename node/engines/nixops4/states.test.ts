import fc from "fast-check";
import { createPatch } from "rfc6902";
import { beforeEach, expect, test } from "vitest";
import type { Patch } from "#protocol/nixops4/messages.ts";
import { emptyState, type NixopsState } from "#protocol/nixops4/state.ts";
import { Database } from "../../store/database.ts";
import { Unfit } from "./patching.ts";
import { States } from "./states.ts";

let db: Database;
let states: States;
beforeEach(() => {
	db = new Database(":memory:");
	states = new States(db, () => 1);
});

const resource = (value: unknown) => ({ type: "probe", input_properties: { value }, output_properties: {} });
const adding = (name: string, value: unknown = 1): Patch =>
	[{ op: "add", path: `/resources/${name}`, value: resource(value) }] as Patch;

test("begins with the state that NixOps4 takes for an empty one", () => {
	expect(states.read("d1")).toEqual({ _type: "nixopsState", resources: {}, deployments: {} });
});

test("keeps what was added, for each deployment by itself, also for who opens it later", () => {
	states.add("d1", "create", adding("x"));
	states.add("d2", "create", adding("y"));
	states.add("d1", "update", [{ op: "replace", path: "/resources/x/input_properties/value", value: 2 }]);
	const later = new States(db, () => 1);
	for (const one of [states, later]) {
		expect(one.read("d1").resources).toEqual({ x: resource(2) });
		expect(one.read("d2").resources).toEqual({ y: resource(1) });
	}
	expect(later.history("d1").map(({ seq, event }) => [seq, event])).toEqual([
		[1, "create"],
		[2, "update"],
	]);
});

test("writes nothing of a patch of which a part does not fit", () => {
	states.add("d1", "create", adding("x"));
	expect(() => states.add("d1", "create", [...adding("y"), ...adding("x")])).toThrow(Unfit);
	expect(states.read("d1").resources).toEqual({ x: resource(1) });
	expect(states.history("d1")).toHaveLength(1);
});

test("writes nothing, and does not pretend to, when the database refuses", () => {
	states.add("d1", "create", adding("x"));
	db.run("CREATE TRIGGER full BEFORE INSERT ON nixops_event BEGIN SELECT RAISE(ABORT, 'disk full'); END");
	expect(() => states.add("d1", "create", adding("y"))).toThrow("disk full");
	expect(states.read("d1").resources).toEqual({ x: resource(1) });
});

test("two who worked from the same copy: the second one's patch does not fit", () => {
	const other = new States(db, () => 1);
	expect(other.read("d1")).toEqual(emptyState);
	states.add("d1", "create", adding("x"));
	expect(() => other.add("d1", "create", adding("x"))).toThrow();
	expect(other.read("d1")).toEqual(states.read("d1"));
});

test("prunes what is gone from the world, and only that", () => {
	states.add("d1", "create", adding("x"));
	const composite = { resources: { "b.c/d": resource(1), y: resource(1) }, deployments: {} };
	states.add("d1", "create", [{ op: "add", path: "/deployments/fedi", value: composite } as Patch[number]]);
	states.prune("d1", ["x", "fedi.y", "fedi.none", "none.x"]);
	expect(states.read("d1")).toEqual({
		_type: "nixopsState",
		resources: {},
		deployments: { fedi: { resources: { "b.c/d": resource(1) }, deployments: {} } },
	});
	states.prune("d1", ["x"]);
	expect(states.history("d1").map(({ event }) => event)).toEqual(["create", "create", "prune"]);
	states.remove("d1");
	expect([states.read("d1"), states.history("d1")]).toEqual([emptyState, []]);
});

test("a long life is written down anew now and then, and reads the same", () => {
	const large = "x".repeat(300_000);
	for (let n = 0; n < 20; n++) states.add("d1", "create", adding(`r${n}`, large));
	const { written } = db.get<{ written: number }>("SELECT count(*) AS written FROM nixops_state") ?? {};
	expect(written).toBe(1);
	expect(Object.keys(new States(db, () => 1).read("d1").resources ?? {})).toHaveLength(20);
	expect(new States(db, () => 1).read("d1")).toEqual(states.read("d1"));
	expect(states.history("d1")).toHaveLength(20);
});

test("follows every way from one state to another that a tool may take", () => {
	const json = fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes("__proto__"));
	const name = fc.stringMatching(/^[a-z~/]{1,3}$/);
	const resources = fc.dictionary(name, json.map(resource), { maxKeys: 4 });
	const composite = fc.record({
		resources,
		deployments: fc.dictionary(name, fc.record({ resources }), { maxKeys: 2 }),
	});
	fc.assert(
		fc.property(fc.array(composite, { minLength: 1, maxLength: 5 }), (way) => {
			const id = JSON.stringify(way);
			states.remove(id);
			for (const next of way) {
				const to = JSON.parse(JSON.stringify({ _type: "nixopsState", ...next })) as NixopsState;
				const patch = createPatch(states.read(id), to) as Patch;
				if (patch.length > 0) states.add(id, "update", patch);
				expect(states.read(id)).toEqual(to);
				expect(new States(db, () => 1).read(id)).toEqual(to);
			}
		}),
		{ numRuns: 100 },
	);
});
