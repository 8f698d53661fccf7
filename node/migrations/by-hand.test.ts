/** Offers on which provider staff decides, at a node that does so by hand and at one that does not. */
import { expect, test } from "vitest";
import { idleNode } from "../../test/idle-node.ts";
import { Routes } from "../web/implement.ts";
import { staffMoveRoutes } from "./routes.ts";
import { moveInOf } from "./views.ts";

const origin = "https://south.example";
const byHand = { MIGRATIONS_BY_HAND: "true" };

test("without it, what a customer wants begins at once, and nothing waits for staff", () => {
	const { parts, customer, offered } = idleNode();
	const id = offered(customer(), { origin, agreed: true });
	expect(parts.migrations.sessions.known(id).job).not.toBeNull();
	expect(parts.moveIns.undecided()).toEqual([]);
	expect(() => parts.moveIns.letIn(id)).toThrow(expect.objectContaining({ code: "not-found" }));
});

test.each(["customer first", "staff first"])("with it, both must agree: %s", (order) => {
	const { parts, customer, offered } = idleNode(byHand);
	const ada = customer();
	const id = offered(ada, { origin });
	const job = () => parts.migrations.sessions.known(id).job;
	const steps = [() => void parts.moveIns.agree(ada, id), () => parts.moveIns.letIn(id)];
	if (order === "staff first") steps.reverse();
	expect(parts.moveIns.undecided().map((session) => session.id)).toEqual([id]);
	steps[0]?.();
	expect(job()).toBeNull();
	steps[1]?.();
	expect(job()).not.toBeNull();
	expect(parts.moveIns.undecided()).toEqual([]);
});

test("a customer who has agreed is not asked again while staff thinks about it", () => {
	const { parts, customer, offered } = idleNode(byHand);
	const id = offered(customer(), { origin, agreed: true });
	const views = { sessions: parts.migrations.sessions, deployments: parts.deployments, freezeSeconds: 1 };
	expect(moveInOf(views, parts.migrations.sessions.known(id))).toMatchObject({ state: "agreed", job: null });
});

test("what staff refuses is over, and is told to both", async () => {
	const { parts, customer, offered } = idleNode(byHand);
	const ada = customer();
	const id = offered(ada, { origin, agreed: true });
	await parts.moveIns.turnAway(id);
	expect(parts.migrations.sessions.last(id, "target", "reject")).toMatchObject({ code: "declined" });
	expect(parts.migrations.sessions.known(id)).toMatchObject({ job: null, talk: { state: "refused" } });
	expect(() => parts.moveIns.letIn(id)).toThrow(expect.objectContaining({ code: "not-found" }));
	expect(parts.moveIns.undecided()).toEqual([]);
});

test("staff ends the rest of what moves away, by its domain, and only while it rests", () => {
	const { parts, customer, clock } = idleNode();
	const { sessions } = parts.migrations;
	const routes = new Routes();
	staffMoveRoutes(routes, parts);
	const thaw = (domain: string) => routes.handlers.get("POST /staff/domains/{domain}/thaw")?.({ path: { domain } });
	const id = "s".repeat(22);
	sessions.open({ id, side: "source", customer: customer(), domain: "choir.example", about: {} });
	expect(() => thaw("choir.example")).toThrow(expect.objectContaining({ code: "message-wrong" }));
	expect(() => thaw("band.example")).toThrow(expect.objectContaining({ code: "not-found" }));
	parts.db.run("UPDATE migration SET talk = json_set(talk, '$.state', 'copying')");
	sessions.change(id, { frozenAt: clock.now });
	thaw("choir.example");
	expect(sessions.known(id).about.thawWanted).toBe(true);
});

test("each account of staff's is told of an offer that waits, once, and nobody where staff decides on none", () => {
	for (const [settings, times] of [[byHand, 1] as const, [{}, 0] as const]) {
		const { parts, customer, offered } = idleNode(settings);
		const sara = customer();
		parts.customers.setStaff(sara, true);
		const id = offered(customer(), { origin });
		parts.moveIns.offered(parts.migrations.sessions.known(id));
		const told = parts.keptNotices.page(sara, { limit: 9 }).items;
		expect(told.map(({ kind, link }) => [kind, link])).toEqual(Array(times).fill(["move-waits", "/provider/moves"]));
	}
});
