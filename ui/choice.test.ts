import { expect, test } from "vitest";
import { clashIn, entitlementFor, obstacleOf, withNeeds } from "./choice.ts";
import type { Entitlement, ServiceCard } from "./views.ts";

const card = (name: string, host: string, needs: string[] = [], canRun = true) =>
	({ name, host, needs, canRun }) as ServiceCard;
const cards = [
	card("snac", "social"),
	card("mastodon", "social", ["garage"]),
	card("garage", "media"),
	card("galene", "meet", [], false),
];
const voucher = (...services: string[]) => ({ id: services.join(), services }) as Entitlement;

test("what a service needs is picked with it, once", () => {
	expect(withNeeds(["mastodon", "garage"], cards)).toEqual(["mastodon", "garage"]);
	expect(withNeeds(["mastodon"], cards)).toEqual(["mastodon", "garage"]);
});

test("two services that want the same address clash", () => {
	expect(clashIn(["snac", "garage"], cards)).toBeNull();
	expect(clashIn(["snac", "mastodon"], cards)).toEqual(["snac", "mastodon", "social"]);
});

test("a service cannot be picked that cannot run, or that no voucher includes", () => {
	const free = [voucher("snac"), voucher("garage")];
	expect(cards.map((one) => obstacleOf(one, free))).toEqual([null, "not-in-voucher", null, "cannot-run"]);
	expect(obstacleOf(cards[1] as ServiceCard, [])).toBeNull();
	expect(obstacleOf(cards[1] as ServiceCard, [voucher()])).toBeNull();
});

test("the voucher that is used holds everything that was picked", () => {
	const free = [voucher("snac"), voucher("snac", "garage")];
	expect(entitlementFor(["snac", "garage"], free)).toBe(free[1]);
	expect(entitlementFor(["snac"], free)).toBe(free[0]);
	expect(entitlementFor(["mastodon"], free)).toBeUndefined();
});
