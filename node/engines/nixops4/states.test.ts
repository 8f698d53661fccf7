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

test("forgets an erased deployment with its history, and no other, as often as it is told", () => {
	for (const deployment of ["d1", "d2"]) states.add(deployment, "create", adding("x"));
	db.run("INSERT INTO nixops_state (deployment, seq, document) VALUES ('d1', 0, '{}')");
	for (let twice = 0; twice < 2; twice++) states.remove("d1");
	for (const one of [states, new States(db, () => 1)])
		expect([one.read("d1"), one.history("d1")]).toEqual([emptyState, []]);
	expect(states.history("d2")).toHaveLength(1);
	states.add("d1", "create", adding("y"));
	expect(states.history("d1").map(({ seq }) => seq)).toEqual([1]);
});

test.each([
	["by one", () => states],
	["by many, each of which comes for one event", () => new States(db, () => 1)],
])("a long life %s is written down anew now and then, and reads the same", (_, at) => {
	const large = "x".repeat(300_000);
	for (let n = 0; n < 20; n++) at().add("d1", "create", adding(`r${n}`, large));
	// After 4, and again whenever more has come than there was: after 8 and 16.
	expect(db.all("SELECT seq FROM nixops_state")).toEqual([{ seq: 16 }]);
	expect(Object.keys(new States(db, () => 1).read("d1").resources ?? {})).toHaveLength(20);
	expect(new States(db, () => 1).read("d1")).toEqual(at().read("d1"));
	expect(states.history("d1")).toHaveLength(20);
	expect(states.history("d1").at(-1)).toEqual({ seq: 20, event: "create", patch: adding("r19", large), at: 1 });
});

test("keeps the latest 10,000 events, and the document whole", () => {
	states.add("d1", "create", adding("x"));
	const patch = (n: number): Patch => [
		{ op: "replace", path: "/resources/x/input_properties/value", value: [n, "x".repeat(500)] },
	];
	for (let n = 2; n <= 14_000; n++) states.add("d1", "update", patch(n));
	const seqs = states.history("d1").map(({ seq }) => seq);
	expect([seqs.length >= 10_000, seqs.length < 13_000, seqs.at(-1)]).toEqual([true, true, 14_000]);
	expect(new States(db, () => 1).read("d1").resources).toEqual({ x: resource([14_000, "x".repeat(500)]) });
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
