/** The rules of a choice of services, as far as the panel can tell them before it asks the node. Pure. */
import type { Domain, Entitlement, ServiceCard } from "./views.ts";

/** What has been decided so far for a new deployment. */
export interface Choice {
	/** What stands in the input for the domain, sent or not. */
	typed: string;
	domain: Domain | null;
	services: string[];
	username: string;
}

/** What stands between a service and being picked. */
export type Obstacle = "cannot-run" | "not-in-voucher" | null;

export function obstacleOf(card: ServiceCard, free: readonly Entitlement[]): Obstacle {
	if (!card.canRun) return "cannot-run";
	return free.length === 0 || free.some((one) => includes(one, [card.name])) ? null : "not-in-voucher";
}

/** The choice with whatever its services cannot do without. */
export function withNeeds(picked: readonly string[], cards: readonly ServiceCard[]): string[] {
	const all = new Set(picked);
	for (const name of all) for (const need of cards.find((card) => card.name === name)?.needs ?? []) all.add(need);
	return [...all];
}

/** Two services that want the same address, and that address's first label; null: none do. */
export function clashIn(
	picked: readonly string[],
	cards: readonly ServiceCard[],
): readonly [string, string, string] | null {
	const taken = new Map<string, string>();
	for (const { name, host } of cards.filter((card) => picked.includes(card.name))) {
		if (!host) continue;
		const other = taken.get(host);
		if (other) return [other, name, host];
		taken.set(host, name);
	}
	return null;
}

/** The first unused voucher that holds all of these. */
export function entitlementFor(picked: readonly string[], free: readonly Entitlement[]): Entitlement | undefined {
	return free.find((one) => includes(one, picked));
}

/** A voucher that names no services holds every one. */
function includes(one: Entitlement, services: readonly string[]): boolean {
	return one.services.length === 0 || services.every((name) => one.services.includes(name));
}
