import { expect, test } from "vitest";
import { type IdleNode, idleNode, offerOf } from "../../test/idle-node.ts";

const GiB = 1024 ** 3;
const day = 24 * 60 * 60_000;
const south = "https://south.example";
const from = { origin: south, key: "z" };

/** The code of what stands against it; undefined: nothing. */
function objection(work: () => void): string | undefined {
	try {
		work();
	} catch (error) {
		return (error as { code: string }).code;
	}
	return undefined;
}

function source({ parts }: IdleNode, bytes = 0, node = from, migration = "new"): string | undefined {
	return objection(() => parts.acceptance.checkSource(node, migration, offerOf({ bytes })));
}
const target = ({ parts }: IdleNode, node = from) => objection(() => parts.acceptance.checkTarget(node));

type Code = string | undefined;

test.each<[accept: string, usual: Code, allowed: Code, blocked: Code]>([
	["open", undefined, undefined, "node-not-accepted"],
	["listed", "node-not-accepted", undefined, "node-not-accepted"],
	["none", "node-not-accepted", "node-not-accepted", "node-not-accepted"],
])("%s", (accept, usual, allowed, blocked) => {
	const node = idleNode({ MIGRATIONS_ACCEPT: accept });
	expect(source(node)).toBe(usual);
	const { id = "" } = node.parts.peers.add(south, "staff") ?? {};
	expect(source(node)).toBe(usual);
	node.parts.peers.decide(id, { standing: "allowed" });
	expect(source(node)).toBe(allowed);
	node.parts.peers.decide(id, { standing: "blocked" });
	expect(source(node)).toBe(blocked);
	expect(source(node, 0, { origin: "https://east.example", key: "y" })).toBe(usual);
});

test("nobody moves to a node that is blocked", () => {
	const node = idleNode();
	expect(target(node)).toBeUndefined();
	const { id = "" } = node.parts.peers.add(south, "customer") ?? {};
	expect(target(node)).toBeUndefined();
	node.parts.peers.decide(id, { standing: "blocked" });
	expect(target(node)).toBe("node-blocked");
});

test("a node that shows another key is neither a source nor a target", () => {
	const node = idleNode();
	node.parts.peers.add(south, "staff");
	node.parts.peers.showsKey(south, { id: "k", key: "z" });
	expect([source(node), target(node)]).toEqual([undefined, undefined]);
	const other = { origin: south, key: "y" };
	expect([source(node, 0, other), target(node, other)]).toEqual(["node-key-changed", "node-key-changed"]);
});

test("so many moves of one node at a time, and of another node as many", () => {
	const node = idleNode({ MIGRATIONS_MOVES_EACH: "2" });
	const ada = node.customer();
	const first = node.offered(ada, { origin: south });
	expect(source(node)).toBeUndefined();
	node.offered(ada, { origin: south, domain: "band.example" });
	expect(source(node)).toBe("node-busy");
	expect(source(node, 0, from, first)).toBeUndefined();
	expect(source(node, 0, { origin: "https://east.example", key: "y" })).toBeUndefined();
	const { id = "" } = node.parts.peers.add(south, "staff") ?? {};
	node.parts.peers.decide(id, { mostMoves: 3 });
	expect(source(node)).toBeUndefined();
	node.parts.peers.decide(id, { mostMoves: null });
	expect(source(node)).toBe("node-busy");
	node.parts.migrations.sessions.change(first, { endedAt: node.clock.now });
	expect(source(node)).toBeUndefined();
});

test("so many bytes of one node in a day", () => {
	const node = idleNode({ MIGRATIONS_GIB_A_DAY_EACH: "3" });
	const id = node.offered(node.customer(), { origin: south, bytes: 2 * GiB });
	node.parts.migrations.sessions.change(id, { endedAt: node.clock.now });
	expect(source(node, GiB)).toBeUndefined();
	expect(source(node, GiB + 1)).toBe("node-busy");
	node.clock.now += 2 * day;
	expect(source(node, 3 * GiB)).toBeUndefined();
	expect(source(node, 4 * GiB)).toBe("node-busy");
});

test("what came counts, if it is more than what was offered", () => {
	const node = idleNode({ MIGRATIONS_GIB_A_DAY_EACH: "3" });
	const id = node.offered(node.customer(), { origin: south, bytes: 1 });
	const content = { round: 1, manifest: "x", bytes: 3 * GiB, seconds: 1, rehearsal: null, freezeSeconds: 1 };
	const said = {
		side: "target" as const,
		seq: 1,
		kind: "announce",
		digest: "x",
		document: {},
		content,
		at: node.clock.now,
	};
	node.parts.migrations.sessions.transcript.add(id, said, null);
	expect(source(node, 1)).toBe("node-busy");
});

test("so large may a deployment be", () => {
	const node = idleNode({ MIGRATIONS_LARGEST_GIB: "2" });
	expect(source(node, 2 * GiB)).toBeUndefined();
	expect(source(node, 2 * GiB + 1)).toBe("migration-too-large");
});
