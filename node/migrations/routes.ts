import { Problem } from "#protocol/problem.ts";
import type { Customers } from "../customers/customers.ts";
import { implement, type Routes } from "../web/implement.ts";
import type { Migrations } from "./migrations.ts";
import { bytesOf, type MoveIns } from "./move-ins.ts";
import type { Moves } from "./moves.ts";
import { receiptOf } from "./receipt.ts";
import { askForThaw } from "./resting.ts";
import type { Sessions } from "./sessions.ts";
import { migrationOf, moveInOf, type ViewParts } from "./views.ts";

export interface MigrationRouteParts extends ViewParts {
	readonly migrations: Migrations;
	readonly moveIns: MoveIns;
	readonly moves: Moves;
}

export interface StaffMoveRouteParts {
	readonly migrations: { readonly sessions: Sessions };
	readonly moveIns: MoveIns;
	readonly customers: Pick<Customers, "get">;
}

/** `/staff/moves`: what provider staff decides on where it does so by hand; and what rests too long for its taste. */
export function staffMoveRoutes(routes: Routes, { moveIns, customers, migrations: { sessions } }: StaffMoveRouteParts) {
	implement(routes, "POST /staff/domains/{domain}/thaw", ({ path }) => {
		const session = sessions.underWay("source").find(({ domain }) => domain === path.domain);
		if (!session) throw new Problem("not-found");
		askForThaw(sessions, session);
	});
	implement(routes, "GET /staff/moves", () => ({
		items: moveIns.undecided().flatMap(({ id, about, customer, createdAt }) => {
			const { offer, peer, agreed = false } = about;
			if (!offer || !peer) return [];
			return {
				...{
					id,
					domain: offer.domain,
					services: offer.services.map(({ name }) => name),
					bytes: bytesOf(offer),
					agreed,
				},
				from: { origin: peer.origin, provider: peer.provider, customer: peer.customer },
				...{ customer: customers.get(customer).email, createdAt: new Date(createdAt).toISOString() },
			};
		}),
	}));
	implement(routes, "POST /staff/moves/{id}/accept", ({ path }) => moveIns.letIn(path.id));
	implement(routes, "POST /staff/moves/{id}/refuse", ({ path }) => moveIns.turnAway(path.id));
}

/** `/move-ins`, `/deployments/{id}/move…` and `/migrations`: both halves of story 2. */
export function migrationRoutes(routes: Routes, parts: MigrationRouteParts) {
	const { moveIns, moves, sessions } = parts;
	implement(routes, "GET /move-ins", ({ customer, query }) => {
		const { items, next } = sessions.page(customer.id, "target", query);
		return { items: items.map((session) => moveInOf(parts, session)), next };
	});
	implement(routes, "POST /move-ins", async ({ customer, body }) => {
		const { session, token } = await moveIns.make(customer, body);
		return { ...moveInOf(parts, session), token };
	});
	implement(routes, "GET /move-ins/{id}", ({ customer, path }) => {
		const session = sessions.get(customer.id, path.id);
		if (session.side !== "target") throw new Problem("not-found");
		return moveInOf(parts, session);
	});
	implement(routes, "DELETE /move-ins/{id}", ({ customer, path }) => moveIns.revoke(customer.id, path.id));
	implement(routes, "POST /move-ins/{id}/agree", ({ customer, path }) =>
		moveInOf(parts, moveIns.agree(customer.id, path.id)),
	);
	implement(routes, "POST /move-ins/{id}/refuse", async ({ customer, path }) =>
		moveInOf(parts, await moveIns.refuse(customer.id, path.id)),
	);
	implement(routes, "POST /deployments/{id}/move-plan", ({ customer, path, body }) =>
		moves.plan(customer, path.id, body.token),
	);
	implement(routes, "POST /deployments/{id}/move", ({ customer, path, body }) => moves.move(customer, path.id, body));
	const begun = (customer: string, id: string) => {
		const session = sessions.get(customer, id);
		if (session.job === null || session.deployment === null) throw new Problem("not-found");
		return session;
	};
	implement(routes, "GET /migrations/{id}", ({ customer, path }) => migrationOf(parts, begun(customer.id, path.id)));
	implement(routes, "POST /migrations/{id}/thaw", ({ customer, path }) => {
		askForThaw(sessions, begun(customer.id, path.id));
		return migrationOf(parts, sessions.known(path.id));
	});
	implement(routes, "GET /migrations/{id}/receipt", async ({ customer, path }) =>
		receiptOf(parts.migrations, sessions.get(customer.id, path.id)),
	);
}
