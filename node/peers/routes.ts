import { createHash } from "node:crypto";
import type { z } from "zod";
import type { KnownProvider } from "#protocol/api/migration.ts";
import type { PeerView } from "#protocol/api/staff.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Engine } from "../engines/engine.ts";
import type { Service } from "../services/service.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Directory } from "./directory.ts";
import { type Luggage, objectionTo } from "./fitting.ts";
import { isShown, isStale, type Peer, type PeerKey } from "./peer.ts";
import type { Peers } from "./peers.ts";

export interface PeerRouteParts {
	readonly peers: Peers;
	readonly directory: Directory;
	readonly deployments: Deployments;
	readonly engine: Pick<Engine, "can">;
	readonly catalogue: readonly Service[];
	/** This node's own. */
	readonly origin: string;
	readonly now: () => number;
}

/** `/providers` for customers, and `/staff/peers`. */
export function peerRoutes(routes: Routes, parts: PeerRouteParts) {
	const { peers, directory, deployments, origin, now } = parts;
	implement(routes, "GET /providers", async ({ customer, query }) => {
		const asked = query.deployment === undefined ? undefined : deployments.get(customer.id, query.deployment);
		const luggage = asked && (await luggageOf(parts, asked));
		const shown = peers.all().filter((peer) => isShown(peer, now()));
		return { items: shown.map((peer) => providerOf(peer, luggage && objectionTo(peer, luggage, origin), luggage)) };
	});
	implement(routes, "GET /staff/peers", ({ query }) => {
		const { items, next } = peers.page(query);
		return { items: items.map((peer) => viewOf(peer, now())), next };
	});
	implement(routes, "POST /staff/peers", async ({ body: { origin, standing } }) => {
		const peer = await directory.add(origin, standing === "blocked");
		return viewOf(peers.decide(peer.id, { standing }), now());
	});
	implement(routes, "PATCH /staff/peers/{id}", ({ path: { id }, body: { key, ...decision } }) => {
		if (key !== undefined) peers.confirm(id, key);
		return viewOf(peers.decide(id, decision), now());
	});
	implement(routes, "DELETE /staff/peers/{id}", ({ path }) => peers.remove(path.id));
}

async function luggageOf(
	{ deployments, engine, catalogue }: PeerRouteParts,
	deployment: ReturnType<Deployments["get"]>,
) {
	const sightings = deployments.sightings(deployment.id);
	const services = await Promise.all(
		deployment.plan.services.map(async ({ name }) => {
			const service = catalogue.find((one) => one.name === name);
			const ability = service && (await engine.can(service));
			return { name, title: service?.title ?? name, version: (ability?.can && ability.version) || null };
		}),
	);
	return { services, bytes: sightings.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0) };
}

/** An offer sheet as customers see it. */
function providerOf(
	{ origin, sheet, seenAt }: Peer & { sheet: NonNullable<Peer["sheet"]>; seenAt: number },
	problem: ReturnType<typeof objectionTo>,
	luggage: Luggage | undefined,
): z.infer<typeof KnownProvider> {
	const { name, place, jurisdiction, services, price, limits, backups, freeBytes, terms } = sheet;
	return {
		...{ origin, name, place, jurisdiction, services, price, limits, backups, freeBytes, terms },
		fits: luggage ? problem === undefined : null,
		why: problem ? { code: problem.code, detail: problem.message, params: problem.params } : null,
		seenAt: moment(seenAt),
	};
}

function viewOf(peer: Peer, now: number): z.infer<typeof PeerView> {
	const { id, origin, toldBy, standing, hidden, mostMoves, mostBytes, addedAt, seenAt, expiresAt, problem } = peer;
	return {
		...{ id, origin, toldBy, standing, hidden, mostMoves, mostBytes, problem, name: peer.sheet?.name ?? null },
		...{ key: keyOf(peer.key), newKey: keyOf(peer.newKey), stale: isStale(peer, now) },
		addedAt: moment(addedAt),
		seenAt: seenAt === null ? null : moment(seenAt),
		sheetUntil: expiresAt === null ? null : moment(expiresAt),
	};
}

/** A key, and what of it two people can compare on the telephone. */
function keyOf(key: PeerKey | null) {
	if (!key) return null;
	const hash = createHash("sha256").update(key.key).digest("hex").slice(0, 32);
	return { key: key.key, fingerprint: hash.replaceAll(/(.{4})(?=.)/g, "$1 ") };
}

const moment = (at: number) => new Date(at).toISOString();
